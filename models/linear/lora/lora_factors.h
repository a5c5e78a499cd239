// The two factors of a lora layer as they stand, for statistics of what they say about its weight.
#pragma once

#include "models/linear/base/linear.h"

namespace ty {

struct LoraFactors {
  Tensor a;        // [in, R]
  Tensor b;        // [R, out]; of parts, with zeros where a row has no columns
  Tensor trained;  // of b's shape: one where it is trained, else zero; undefined: all of it is
};

// Of a lora layer of two factors; not differentiable. Throws InternalError for any other one.
LoraFactors lora_factors(const Linear& layer);

}  // namespace ty
