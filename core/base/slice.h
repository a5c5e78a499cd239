// A rank's part of a parameter that is cut along one dimension.
//
// Parts may differ in size. Where they must not, the last ones run past the whole: with 9 rows on 4
// ranks of 3 rows each, rank 3's, [9, 12), are padding. Padding is zero; it belongs to no whole, so
// nothing stores it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/range.h"
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
//                                            . . x x . .    first 2, step 6, own_step 2
struct SliceRows {
  std::int64_t rows, columns;  // without padding
  std::int64_t first, step;    // in the whole
  std::int64_t own_step;       // from row to row in the part: columns and padding
};
// `part` is the shape of the part, padding included; so it is in the functions below.
SliceRows rows_of(const Shape& part, const Slice& slice);

// The shape of the whole parameter.
inline Shape whole_shape(Shape part, const Slice& slice) {
  if (slice.dim >= 0) part[slice.dim] = slice.whole;
  return part;
}

// The shape of what of a part lies in the whole, the part without its padding; may be empty.
Shape unpadded_shape(Shape part, const Slice& slice);

// Elements that are neighbours in the part and in the whole, row-major in both.
struct SliceRun {
  std::int64_t whole_first, part_first;
  std::int64_t count;
  friend bool operator==(const SliceRun&, const SliceRun&) = default;
};
// The runs of elements [inside) of a part, in order and each as long as can be; padding is left
// out.
std::vector<SliceRun> runs_of(const Shape& part, const Slice& slice, Range inside);

// Elements of one whole that two parts have in common.
struct CommonRun {
  std::int64_t a_first, b_first;  // elements of the one part and of the other
  std::int64_t count;
  friend bool operator==(const CommonRun&, const CommonRun&) = default;
};
// What two lists of runs_of() have in common, in order.
std::vector<CommonRun> common_runs(const std::vector<SliceRun>& a, const std::vector<SliceRun>& b);

}  // namespace ty
