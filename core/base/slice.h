// A rank's part of a parameter that is partitioned along one dimension.
#pragma once

#include <cstdint>

#include "core/base/shape.h"

namespace ty {

struct Slice {
  int dim = -1;  // the partitioned one; -1: the rank holds the whole parameter
  std::int64_t first = 0;
  std::int64_t whole = 0;  // size of that dimension, of which the rank holds [first, ..)
  friend bool operator==(const Slice&, const Slice&) = default;
};

// Where the elements of a part lie in the whole, row-major: equally spaced rows of adjacent
// elements.
//
//   whole [2, 6], dim 1, elements 2 and 3:   . . x x . .    rows 2, columns 2,
//                                            . . x x . .    first 2, step 6
struct SliceRows {
  std::int64_t rows, columns;
  std::int64_t first, step;  // in the whole
};

// `part`: the shape of the rank's part.
inline SliceRows rows_of(const Shape& part, const Slice& slice) {
  if (slice.dim < 0) return {1, part.numel(), 0, part.numel()};
  std::int64_t outer = 1, inner = 1;
  for (int d = 0; d < slice.dim; ++d) outer *= part[d];
  for (int d = slice.dim + 1; d < part.rank(); ++d) inner *= part[d];
  return {outer, part[slice.dim] * inner, slice.first * inner, slice.whole * inner};
}

// The shape of the whole parameter.
inline Shape whole_shape(Shape part, const Slice& slice) {
  if (slice.dim >= 0) part[slice.dim] = slice.whole;
  return part;
}

}  // namespace ty
