// Cutting a row of things into parts that differ in size by one at most.
//
//   10 in 4 parts:   0 1 | 2 3 4 | 5 6 | 7 8 9
#pragma once

#include <cstdint>

#include "core/base/range.h"

namespace ty {

// Part `index` of `parts` of what is numbered [0, whole).
inline Range even_part(std::int64_t whole, std::int64_t index, std::int64_t parts) {
  const std::int64_t first = whole * index / parts;
  return {first, whole * (index + 1) / parts - first};
}

}  // namespace ty
