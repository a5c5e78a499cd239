// Learning-rate schedules: pure functions of the step.
#pragma once

#include <cstdint>

namespace ty {

enum class LearningRateKind : std::uint8_t { constant, linear, cosine, wsd };

struct LearningRateSchedule {
  LearningRateKind kind = LearningRateKind::constant;
  double peak = 1e-3;       // learning rate after warm-up
  double floor = 0.0;       // learning rate at the last step (linear, cosine, wsd)
  std::int64_t warmup = 0;  // steps of linear growth from peak / warmup to peak
  std::int64_t steps = 0;   // length of the run
  std::int64_t decay = 0;   // wsd: steps of the final linear decay
};

// The learning rate of step 0, 1, ... steps - 1. After warm-up, constant stays at the peak; linear
// and cosine decay to the floor at the last step; wsd (warm-up, stable, decay; Hu et al., arXiv
// 2404.06395) stays at the peak and decays over the last `decay` steps.
double learning_rate(const LearningRateSchedule& schedule, std::int64_t step);

}  // namespace ty
