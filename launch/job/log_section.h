// Section `log` of the job file: how often metrics are written, and whether for TensorBoard too.
#pragma once

#include <cstdint>

#include "core/config/fields.h"

namespace ty {

struct LogSection {
  std::int64_t every = 10;
  bool tensorboard = true;
  std::int64_t trace = 0;  // steps whose actions go into trace.json
};

void fields(config::Fields& f, LogSection& s);

}  // namespace ty
