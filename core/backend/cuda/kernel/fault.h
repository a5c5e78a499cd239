// Numbers that came from data and are out of range. A kernel cannot throw: it skips what it would
// have done and leaves a note of the first such number, which the host reads when it next waits.
#pragma once

#include "core/backend/cuda/kernel/portable.h"

namespace ty::cuda::kernel {

enum class Place : std::int32_t { gather_rows, scatter_add_rows, cross_entropy, attention };

struct Fault {
  int claimed = 0;
  Place place = Place::gather_rows;
  std::int64_t number = 0, position = 0, limit = 0;

  TY_DEVICE void note(Place where, std::int64_t bad, std::int64_t at, std::int64_t below) {
    if (!claim(&claimed)) return;
    place = where;
    number = bad;
    position = at;
    limit = below;
  }
};

// int32 numbers, any distance apart.
struct Ids {
  const std::int32_t* data = nullptr;
  std::int64_t step = 1;
  TY_DEVICE std::int64_t operator[](std::int64_t n) const { return data[n * step]; }
};

// VocabularySlice for kernels: the operand has rows (or columns) for ids [first, first + size).
struct Slice {
  std::int64_t first = 0, size = 0, whole = 0;
  // Where the operand has an id; -1: another slice has it.
  TY_DEVICE std::int64_t row_of(std::int64_t id) const {
    const std::int64_t row = id - first;
    return row >= 0 && row < size ? row : -1;
  }
};

}  // namespace ty::cuda::kernel
