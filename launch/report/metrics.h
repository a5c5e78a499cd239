// Writes the records of a run to files for programs: metrics.jsonl, samples.txt and trace.json in
// its directory.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "launch/run/observer.h"

namespace ty {

// The numbers of a record, under the names used in every file.
nlohmann::json to_json(const StepRecord& record);
nlohmann::json to_json(const EvaluationRecord& record);

// Throws IoError if a record cannot be written; only that record is then missing from the files.
class Metrics : public RunObserver {
 public:
  void started(const RunFacts& facts) override { directory_ = &facts.directory; }
  void stepped(const StepRecord& record) override;
  void traced(const std::string& text) override { directory_->write_trace(text); }
  void evaluated(const EvaluationRecord& record) override;
  void sampled(std::int64_t step, const std::string& text) override;

 private:
  RunDirectory* directory_ = nullptr;
};

}  // namespace ty
