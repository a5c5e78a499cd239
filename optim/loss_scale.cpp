#include "optim/loss_scale.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace ty {

bool is_loss_scale(double value) {
  int exponent = 0;
  return value >= LossScale::kSmallest && value <= LossScale::kLargest &&
         std::frexp(value, &exponent) == 0.5;
}

LossScale::LossScale(double first) {
  if (!is_loss_scale(first)) {
    throw ConfigError(Key{"precision.loss_scale"}, "{} is not a power of two from {} to {}", first,
                      kSmallest, kLargest);
  }
  state_.scale = first;
}

void LossScale::step_taken() {
  if (!is_used() || ++state_.good_steps < kGoodSteps) return;
  state_.scale = std::min(2.0 * state_.scale, kLargest);
  state_.good_steps = 0;
}

void LossScale::step_skipped() {
  TY_CHECK(can_shrink(), "a loss scale of {} cannot become smaller", state_.scale);
  state_.scale = std::max(state_.scale / 2.0, kSmallest);
  state_.good_steps = 0;
  ++state_.skipped_steps;
}

void LossScale::restore(const State& state, const std::string& place) {
  const bool is_possible = (state.scale == 0.0 || is_loss_scale(state.scale)) &&
                           state.good_steps >= 0 && state.good_steps < kGoodSteps &&
                           state.skipped_steps >= 0;
  if (!is_possible) {
    throw DataError(
        "{}: loss scale {} after {} good and {} skipped steps is impossible; want 0 or a power of "
        "two "
        "from {} to {}, and 0 to {} good steps",
        place, state.scale, state.good_steps, state.skipped_steps, kSmallest, kLargest,
        kGoodSteps - 1);
  }
  state_.skipped_steps = state.skipped_steps;
  if (!is_used() || state.scale == 0.0) return;
  state_ = state;
}

}  // namespace ty
