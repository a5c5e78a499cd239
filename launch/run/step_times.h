// The speed of steps: since the last record, and smoothed over the run to estimate the remaining
// time.
#pragma once

#include <cstdint>

namespace ty {

class StepTimes {
 public:
  struct Speed {
    double tokens_per_second = 0;
    double step_seconds = 0;  // mean
  };

  // The first `warm_up` steps run with cold caches and pages: they count in expected_seconds() only
  // until there are later ones.
  explicit StepTimes(std::int64_t warm_up) : warm_up_(warm_up) {}

  // Records the duration of a step of so many tokens.
  void add(double seconds, double tokens);
  // The total of the steps since the last take().
  double seconds() const { return seconds_; }
  // The speed of the steps since the last call, given the seconds of the slowest rank.
  Speed take(double slowest_seconds);
  // The estimated duration of a future step.
  double expected_seconds() const { return expected_seconds_; }

 private:
  std::int64_t warm_up_;
  std::int64_t total_steps_ = 0;
  std::int64_t steps_ = 0;
  double seconds_ = 0;
  double tokens_ = 0;
  double expected_seconds_ = 0;
};

}  // namespace ty
