// Section `checkpoint` of the job file: how often checkpoints are written and how many are kept.
#pragma once

#include <cstdint>

#include "core/config/fields.h"

namespace ty {

struct CheckpointSection {
  std::int64_t every = 0;  // 0: only at the end
  std::int64_t keep = 3;
  bool best = false;  // whether that of the best evaluation is kept
};

void fields(config::Fields& f, CheckpointSection& s);

}  // namespace ty
