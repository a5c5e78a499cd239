// The records of a run as files that programs read: metrics.jsonl and samples.txt of its directory.
#pragma once

#include "launch/run/observer.h"

namespace ty {

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
