#include "launch/run/step_times.h"

namespace ty {

void StepTimes::add(double seconds, double tokens) {
  seconds_ += seconds;
  tokens_ += tokens;
  ++steps_;
  ++total_steps_;
}

StepTimes::Speed StepTimes::take(double slowest_seconds) {
  const Speed speed = {.tokens_per_second = tokens_ / slowest_seconds,
                       .step_seconds = slowest_seconds / static_cast<double>(steps_)};
  const bool is_warming_up = expected_seconds_ == 0 || total_steps_ <= warm_up_;
  expected_seconds_ =
      is_warming_up ? speed.step_seconds : 0.7 * expected_seconds_ + 0.3 * speed.step_seconds;
  seconds_ = tokens_ = 0;
  steps_ = 0;
  return speed;
}

}  // namespace ty
