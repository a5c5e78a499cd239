// Walks over the elements of views, made on the host: dimensions that lie together are merged, and
// adjacent elements are taken in packs where all operands allow it.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "core/backend/cuda/kernel/walk.h"
#include "core/base/view.h"

namespace ty::cuda {

// Whether elements may be visited in another order than that of the view, to follow the first
// operand's memory; not if a kernel looks at their numbers.
enum class Order : std::uint8_t { of_shape, any };

// Over `shape`, the strides of operand k in strides[k]; items are single elements.
template <int N>
kernel::Walk<N> make_walk(const Shape& shape, const std::array<Strides, N>& strides,
                          Order order = Order::of_shape) {
  std::array<int, Dims::kMaxRank> dims{};
  int count = 0;
  for (int d = 0; d < shape.rank(); ++d) {
    if (shape[d] != 1) dims[static_cast<std::size_t>(count++)] = d;
  }
  if (order == Order::any) {
    std::stable_sort(dims.begin(), dims.begin() + count,
                     [&](int x, int y) { return strides[0][x] > strides[0][y]; });
  }
  kernel::Walk<N> walk;
  walk.items = shape.numel();
  walk.is_short = walk.items < std::int64_t{1} << 32;
  walk.dims = 0;
  for (int i = 0; i < count; ++i) {
    const int d = dims[static_cast<std::size_t>(i)];
    const int last = walk.dims - 1;
    bool merges = last >= 0;
    for (std::size_t k = 0; k < N; ++k) {
      merges = merges && walk.steps[k][last] == strides[k][d] * shape[d];
    }
    const int at = merges ? last : walk.dims++;
    walk.sizes[at] = merges ? walk.sizes[at] * shape[d] : shape[d];
    for (std::size_t k = 0; k < N; ++k) walk.steps[k][at] = strides[k][d];
  }
  if (walk.dims == 0) {
    walk.dims = 1;
    walk.sizes[0] = 1;
  }
  return walk;
}

// Takes `pack` adjacent elements as an item, if the innermost dimension is adjacent (or repeats) in
// every operand and all packs are aligned; the first operand is written, so it must not repeat.
// addresses[k], sizes[k]: where operand k begins, and bytes of an element. Returns whether it did.
template <int N>
bool take_packs(kernel::Walk<N>& walk, int pack, const std::array<const void*, N>& addresses,
                const std::array<std::int64_t, N>& sizes) {
  const int last = walk.dims - 1;
  if (pack == 1 || walk.sizes[last] % pack != 0) return false;
  for (std::size_t k = 0; k < N; ++k) {
    if (addresses[k] == nullptr) continue;
    const std::int64_t inner = walk.steps[k][last];
    if (inner == 0 && k > 0) continue;
    bool fits =
        inner == 1 && reinterpret_cast<std::uintptr_t>(addresses[k]) % (sizes[k] * pack) == 0;
    for (int d = 0; d < last; ++d) fits = fits && walk.steps[k][d] % pack == 0;
    if (!fits) return false;
  }
  walk.items /= pack;
  walk.sizes[last] /= pack;
  for (std::size_t k = 0; k < N; ++k) {
    walk.repeats[k] = addresses[k] != nullptr && walk.steps[k][last] == 0;
    walk.steps[k][last] *= pack;
  }
  return true;
}

}  // namespace ty::cuda
