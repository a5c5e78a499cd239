// A walk over the elements of N strided operands of one shape, by the number of the element.
//
// Made on the host (device/walks.h), where dimensions that lie together in every operand have been
// merged: most walks have one dimension, and then no division.
#pragma once

#include "core/backend/cuda/kernel/portable.h"

namespace ty::cuda::kernel {

template <int N>
struct Walk {
  static constexpr int kMostDims = 16;  // Dims::kMaxRank

  std::int64_t items = 0;  // packs of adjacent elements, or elements
  int dims = 1;            // at least one
  bool is_short = true;    // item numbers fit 32 bits, whose division is several times faster
  bool repeats[N] = {};    // the operand has one element for all of an item
  std::int64_t sizes[kMostDims] = {};     // in items; the last dimension is the innermost
  std::int64_t steps[N][kMostDims] = {};  // in elements

  // Where operand k has its first element of an item: at[k].
  TY_DEVICE void locate(std::int64_t item, std::int64_t (&at)[N]) const {
    if (is_short) {
      descend<std::uint32_t>(item, at);
    } else {
      descend<std::uint64_t>(item, at);
    }
  }
  TY_DEVICE std::int64_t locate(std::int64_t item) const {
    std::int64_t at[N];
    locate(item, at);
    return at[0];
  }

 private:
  template <typename Number>
  TY_DEVICE void descend(std::int64_t item, std::int64_t (&at)[N]) const {
    auto rest = static_cast<Number>(item);
    TY_UNROLL for (int k = 0; k < N; ++k) at[k] = 0;
    for (int d = dims - 1; d > 0; --d) {
      const auto size = static_cast<Number>(sizes[d]);
      const Number above = rest / size;
      const auto index = static_cast<std::int64_t>(rest - above * size);
      TY_UNROLL for (int k = 0; k < N; ++k) at[k] += index * steps[k][d];
      rest = above;
    }
    TY_UNROLL for (int k = 0; k < N; ++k) at[k] += static_cast<std::int64_t>(rest) * steps[k][0];
  }
};

}  // namespace ty::cuda::kernel
