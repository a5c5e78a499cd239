// Sums and maxima over the lanes of a warp and the threads of a block. The order of additions is
// that of the lanes, so equal inputs give equal bits; every lane gets the result.
#pragma once

#include "core/backend/cuda/kernel/portable.h"

namespace ty::cuda::kernel {

template <typename T>
TY_DEVICE T larger(T a, T b) {
  return a < b ? b : a;
}

template <typename T>
TY_DEVICE T warp_sum(T value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += from_lane_xor(value, mask);
  return value;
}
template <typename T>
TY_DEVICE T warp_max(T value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value = larger(value, from_lane_xor(value, mask));
  return value;
}

// The sum over all kMostThreads threads of the block.
template <typename T>
TY_DEVICE T block_sum(T value) {
  TY_SHARED T sums[kWarps];
  value = warp_sum(value);
  if (lane() == 0) sums[thread() / kWarp] = value;
  barrier();
  T total = sums[0];
  TY_UNROLL for (int warp = 1; warp < kWarps; ++warp) total += sums[warp];
  barrier();  // before the next call overwrites them
  return total;
}

}  // namespace ty::cuda::kernel
