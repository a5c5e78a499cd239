// Writes the records of a run for TensorBoard: events/ in its directory, one file per process that
// has worked on the run.
//
// Tags are the names in metrics.jsonl, and "sample" for texts. A process that resumes from a
// checkpoint begins with an event that invalidates the later steps of earlier files.
#pragma once

#include <optional>

#include "core/io/file.h"
#include "launch/run/observer.h"

namespace ty {

namespace events {
class Event;
}

// Throws IoError if an event cannot be written; only that event is then missing from the file.
class TensorBoard : public RunObserver {
 public:
  void started(const RunFacts& facts) override;
  void stepped(const StepRecord& record) override;
  void evaluated(const EvaluationRecord& record) override;
  void sampled(std::int64_t step, const std::string& text) override;

 private:
  void write(events::Event event);

  std::optional<File> file_;
};

}  // namespace ty
