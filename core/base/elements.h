// Walking strided views of host memory element by element.
#pragma once

#include <array>

#include "core/base/view.h"

namespace ty::elements {

// Calls fn(flat index, element offsets...) for every index of `shape`, row-major; offset k follows
// the strides of views[k].
template <std::size_t N, typename Fn>
void for_each(const Shape& shape, const std::array<const View*, N>& views, Fn&& fn) {
  const std::int64_t total = shape.numel();
  std::array<std::int64_t, Dims::kMaxRank> index{};
  std::array<std::int64_t, N> offset{};
  for (std::int64_t flat = 0; flat < total; ++flat) {
    fn(flat, offset);
    for (int d = shape.rank() - 1; d >= 0; --d) {
      const auto at = static_cast<std::size_t>(d);
      for (std::size_t k = 0; k < N; ++k) offset[k] += views[k]->strides[d];
      if (++index[at] < shape[d]) break;
      for (std::size_t k = 0; k < N; ++k) offset[k] -= views[k]->strides[d] * shape[d];
      index[at] = 0;
    }
  }
}

// Reads and writes an element of a dtype known at run time, through double.
double load_any(const View& view, std::int64_t offset);
void store_any(const View& view, std::int64_t offset, double value);

}  // namespace ty::elements
