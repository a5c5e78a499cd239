// Dropout masks as kernels take them.
#pragma once

#include <cmath>

#include "core/backend/cuda/kernel/draws.h"
#include "core/backend/options.h"

namespace ty::cuda {

// An element is dropped if the uniform number k / 2^24 of its word is below p, so if k is below
// p 2^24, rounded up.
template <typename C>
kernel::Mask<C> mask_of(const DropoutMask& mask) {
  return {.key = mask.stream.key(),
          .threshold = static_cast<std::uint32_t>(std::ceil(mask.p * 0x1p24)),
          .keep = static_cast<C>(1.0 / (1.0 - mask.p)),
          .first_row = mask.first_row,
          .rows_per_sample = mask.rows_per_sample,
          .first_element = mask.first_element,
          .whole_width = mask.whole_width};
}

}  // namespace ty::cuda
