#include "core/base/slice.h"

#include <algorithm>

namespace ty {

Shape unpadded_shape(Shape part, const Slice& slice) {
  if (slice.dim < 0) return part;
  const std::int64_t left = std::max<std::int64_t>(slice.whole - slice.first, 0);
  part[slice.dim] = std::min(part[slice.dim], left);
  return part;
}

SliceRows rows_of(const Shape& part, const Slice& slice) {
  if (slice.dim < 0) return {1, part.numel(), 0, part.numel(), part.numel()};
  std::int64_t outer = 1, inner = 1;
  for (int d = 0; d < slice.dim; ++d) outer *= part[d];
  for (int d = slice.dim + 1; d < part.rank(); ++d) inner *= part[d];
  return {outer, unpadded_shape(part, slice)[slice.dim] * inner, slice.first * inner,
          slice.whole * inner, part[slice.dim] * inner};
}

std::vector<SliceRun> runs_of(const Shape& part, const Slice& slice, Range inside) {
  std::vector<SliceRun> runs;
  if (inside.count <= 0) return runs;
  const SliceRows rows = rows_of(part, slice);
  const std::int64_t last = inside.first + inside.count;
  for (std::int64_t r = inside.first / rows.own_step; r * rows.own_step < last; ++r) {
    const std::int64_t row = r * rows.own_step;
    const std::int64_t begin = std::max(inside.first, row);
    const std::int64_t end = std::min(last, row + rows.columns);
    if (begin >= end) continue;
    const SliceRun run = {rows.first + r * rows.step + begin - row, begin, end - begin};
    const bool is_whole = rows.columns == rows.step && rows.columns == rows.own_step;
    if (is_whole && !runs.empty()) {
      runs.back().count += run.count;
    } else {
      runs.push_back(run);
    }
  }
  return runs;
}

std::vector<CommonRun> common_runs(const std::vector<SliceRun>& a, const std::vector<SliceRun>& b) {
  std::vector<CommonRun> common;
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() && y != b.end()) {
    const std::int64_t x_end = x->whole_first + x->count, y_end = y->whole_first + y->count;
    const std::int64_t first = std::max(x->whole_first, y->whole_first);
    const std::int64_t count = std::min(x_end, y_end) - first;
    if (count > 0) {
      common.push_back(
          {x->part_first + first - x->whole_first, y->part_first + first - y->whole_first, count});
    }
    x_end < y_end ? ++x : ++y;
  }
  return common;
}

}  // namespace ty
