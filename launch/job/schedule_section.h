// Section `schedule` of the job file: the learning rate over the steps of a run; its peak is
// optim.lr.
#pragma once

#include <cstdint>

#include "core/config/fields.h"
#include "optim/learning_rate.h"

namespace ty {

struct ScheduleSection {
  LearningRateKind name = LearningRateKind::constant;
  std::int64_t warmup = 0;
  double min_lr = 0.0;     // not constant
  std::int64_t decay = 0;  // wsd: steps of the final decay
};

void fields(config::Fields& f, ScheduleSection& s);

}  // namespace ty
