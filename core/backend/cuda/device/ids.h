// Ids and parts of a vocabulary as kernels take them.
#pragma once

#include "core/backend/cuda/kernel/fault.h"
#include "core/backend/options.h"

namespace ty::cuda {

inline kernel::Ids ids_of(const View& ids) {
  if (ids.data == nullptr) return {};
  return {ids.as<const std::int32_t>(), ids.strides[0]};
}

// Of an operand with so many rows (or columns).
inline kernel::Slice slice_of(const VocabularySlice& slice, std::int64_t size) {
  return {.first = slice.first, .size = size, .whole = slice.ids(size)};
}

}  // namespace ty::cuda
