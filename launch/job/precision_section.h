// Section `precision` of the job file: number formats of the computation and of the stored weights.
#pragma once

#include "core/base/dtype.h"
#include "core/config/fields.h"

namespace ty {

struct PrecisionSection {
  DType compute = DType::f32;
  DType weights = DType::f32;
  config::IntOrAuto loss_scale;  // fp16: what it begins with; auto: 65536
};

void fields(config::Fields& f, PrecisionSection& s);
void check(const PrecisionSection& s, config::Checks& checks);

}  // namespace ty
