// The records of a run as files that programs read: metrics.jsonl and samples.txt of its directory.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "launch/run/observer.h"

namespace ty {

// The numbers of a record under the names that they have in every file.
nlohmann::json to_json(const StepRecord& record);
nlohmann::json to_json(const EvaluationRecord& record);

// Throws IoError where a record cannot be written; the files then lack that one only.
class Metrics : public RunObserver {
 public:
  void started(const RunFacts& facts) override { directory_ = &facts.directory; }
  void stepped(const StepRecord& record) override;
  void evaluated(const EvaluationRecord& record) override;
  void sampled(std::int64_t step, const std::string& text) override;

 private:
  RunDirectory* directory_ = nullptr;
};

}  // namespace ty
