// Shows a training run to the user, on stderr: how it starts, a progress line, and events.
#pragma once

#include "launch/report/progress.h"
#include "launch/run/observer.h"

namespace ty {

class Console : public RunObserver {
 public:
  // Ends the progress line, so that whatever is printed next starts on a new line.
  ~Console() override { line_.finish(); }

  void found_complete(const JobConfig& job, const std::string& why) override;
  void started(const RunFacts& facts) override;
  void noted(const std::string& text) override { line_.note(text); }
  void resumed(std::int64_t step) override;
  void stepped(const StepRecord& record) override;
  void evaluated(const EvaluationRecord& record) override;
  void sampled(std::int64_t step, const std::string& text) override;
  void saved(std::int64_t step, const std::string& warning) override;
  void save_failed(std::int64_t step, const std::string& error) override;
  void stopped(std::int64_t step) override;
  void ended(const RunSummary& summary) override;

 private:
  ProgressLine line_;
  std::int64_t steps_ = 0;  // of the whole run
  double ceiling_ = 0;      // FLOP/s of all ranks together
  MemoryStats predicted_;
  Traffic predicted_traffic_;
};

}  // namespace ty
