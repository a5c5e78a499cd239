// Cuts views of the same shape into runs that the span functions can process.
//
// Dimensions are taken in the memory order of the first view, and neighbours that every view walks
// without a gap are merged; the innermost remaining dimension is a run. Runs are cut into chunks so
// that threads can share the work. The cuts depend on the shape alone, never on the number of
// threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>

#include "core/base/view.h"

namespace ty::cpu {

inline constexpr std::int64_t kChunk = 16384;  // elements of one piece of work

template <std::size_t N>
class Runs {
 public:
  explicit Runs(const std::array<View, N>& views) {
    const Shape& shape = views[0].shape;
    std::array<int, Dims::kMaxRank> order{};  // dimensions as the first view lies in memory
    const auto end = order.begin() + shape.rank();
    std::iota(order.begin(), end, 0);
    std::stable_sort(order.begin(), end,
                     [&](int a, int b) { return views[0].strides[a] > views[0].strides[b]; });
    for (auto it = order.begin(); it != end; ++it) {
      const int d = *it;
      if (shape[d] == 1) continue;
      bool merge = !sizes_.empty();
      for (std::size_t k = 0; k < N && merge; ++k) {
        merge = strides_[k][-1] == views[k].strides[d] * shape[d];
      }
      if (merge) {
        sizes_[-1] *= shape[d];
        for (std::size_t k = 0; k < N; ++k) strides_[k][-1] = views[k].strides[d];
      } else {
        sizes_.push_back(shape[d]);
        for (std::size_t k = 0; k < N; ++k) strides_[k].push_back(views[k].strides[d]);
      }
    }
    if (sizes_.empty()) {
      sizes_.push_back(shape.numel());
      for (std::size_t k = 0; k < N; ++k) strides_[k].push_back(1);
    }
    length_ = sizes_[-1];
    chunks_ = (length_ + kChunk - 1) / kChunk;
    outer_ = 1;
    for (int d = 0; d + 1 < sizes_.rank(); ++d) outer_ *= sizes_[d];
  }

  // Stride of view k inside a run.
  std::int64_t step(std::size_t k) const { return strides_[k][-1]; }
  // Every view is contiguous inside a run, or (from the second on) constant.
  bool simple() const {
    bool good = step(0) == 1;
    for (std::size_t k = 1; k < N; ++k) good = good && (step(k) == 1 || step(k) == 0);
    return good;
  }
  std::int64_t count() const { return length_ == 0 ? 0 : outer_ * chunks_; }

  // Calls fn(element offsets, elements) for piece i.
  template <typename Fn>
  void piece(std::int64_t i, Fn&& fn) const {
    const std::int64_t first = i % chunks_ * kChunk;
    std::int64_t rest = i / chunks_;
    std::array<std::int64_t, N> offsets;
    for (std::size_t k = 0; k < N; ++k) offsets[k] = first * step(k);
    for (int d = sizes_.rank() - 2; d >= 0; --d) {
      const std::int64_t at = rest % sizes_[d];
      rest /= sizes_[d];
      for (std::size_t k = 0; k < N; ++k) offsets[k] += at * strides_[k][d];
    }
    fn(offsets, std::min(kChunk, length_ - first));
  }

 private:
  Dims sizes_;
  std::array<Dims, N> strides_;
  std::int64_t length_, chunks_, outer_;
};

}  // namespace ty::cpu
