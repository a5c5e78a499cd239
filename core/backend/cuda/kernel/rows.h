// Rows of matrices for kernels: a pointer and the distance of rows, columns adjacent.
#pragma once

#include "core/backend/cuda/kernel/group.h"
#include "core/backend/cuda/kernel/pack.h"

namespace ty::cuda::kernel {

template <typename T>
struct Rows {
  T* data = nullptr;
  std::int64_t step = 0;  // elements
  TY_DEVICE T* row(std::int64_t n) const { return data + n * step; }
};

// Adds fn(pack number) over the packs of a row that the lanes of a warp share.
template <typename A, typename Fn>
TY_DEVICE A sum_over_packs(std::int64_t packs, Fn&& fn) {
  A sum = 0;
  for (std::int64_t p = lane(); p < packs; p += kWarp) sum += fn(p);
  return warp_sum(sum);
}

}  // namespace ty::cuda::kernel
