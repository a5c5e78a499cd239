// The records of a run as TensorBoard reads them: events/ in its directory, one file per process
// that worked on the run.
//
// Tags are the names in metrics.jsonl, and "sample" for texts. A process that goes on from a
// checkpoint begins with an event that voids what files before hold of later steps.
#pragma once

#include <optional>

#include "core/io/file.h"
#include "launch/run/observer.h"

namespace ty {

namespace events {
class Event;
}

// Throws IoError where an event cannot be written; the file then lacks that one only.
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
