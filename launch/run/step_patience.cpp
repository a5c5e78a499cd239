#include "launch/run/step_patience.h"

#include <algorithm>

#include "parallel/comm/communicator.h"

namespace ty {

namespace {

constexpr std::size_t kSteps = 31;
constexpr double kLeastStep = 1.0;  // seconds
// The others need up to a step to reach the call in which they miss the late one.
constexpr double kStepsInCall = 9.0;

}  // namespace

void StepPatience::add(double seconds) {
  if (last_.size() < kSteps) {
    last_.push_back(seconds);
  } else {
    last_[next_] = seconds;
    next_ = (next_ + 1) % kSteps;
  }
}

double StepPatience::seconds() const {
  if (last_.empty()) return kDefaultPatience;
  std::vector<double> sorted = last_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return kStepsInCall * std::max(kLeastStep, *middle);
}

}  // namespace ty
