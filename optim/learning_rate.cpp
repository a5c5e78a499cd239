#include "optim/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ty {

double learning_rate(const LearningRateSchedule& s, std::int64_t step) {
  if (step < s.warmup) {
    return s.peak * static_cast<double>(step + 1) / static_cast<double>(s.warmup);
  }
  // Fraction of the way from the first decaying step to the last step.
  const auto progress = [&](std::int64_t first) {
    const std::int64_t span = s.steps - 1 - first;
    if (span <= 0) return step > first ? 1.0 : 0.0;
    return std::clamp(static_cast<double>(step - first) / static_cast<double>(span), 0.0, 1.0);
  };
  switch (s.kind) {
    case LearningRateKind::constant:
      return s.peak;
    case LearningRateKind::linear:
      return s.peak + (s.floor - s.peak) * progress(s.warmup);
    case LearningRateKind::cosine:
      return s.floor +
             0.5 * (s.peak - s.floor) * (1.0 + std::cos(std::numbers::pi * progress(s.warmup)));
    case LearningRateKind::wsd:
      return s.peak + (s.floor - s.peak) * progress(std::max(s.warmup, s.steps - 1 - s.decay));
  }
  return s.peak;
}

}  // namespace ty
