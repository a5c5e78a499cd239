// The largest of many numbers without sorting them: the bound of what is kept is found bit by bit,
// a launch each that counts and one that decides. Counts are exact, so no bits depend on the
// launch.
#pragma once

#include "core/backend/cuda/kernel/group.h"
#include "core/backend/cuda/kernel/numbers.h"
#include "core/backend/order.h"

namespace ty::cuda::kernel {

// Until all bits are known: those that are, zeros below, and how many of the elements that agree in
// them are kept.
struct Bound {
  KeptFrom from;
  std::int64_t left;
};

TY_KERNEL inline void begin_bound(Bound* bound, std::int64_t kept) {
  if (grid_thread() == 0) *bound = {{0, 0}, kept};
}

template <typename T>
TY_DEVICE std::uint64_t order_at(const T* x, std::int64_t i) {
  return order_of(widen<Accumulator<T>>(x[i]));
}

// partial[chunk] = how many of the indices [chunk * size ..) are counted; a block each.
template <typename IsCounted>
TY_DEVICE void count_in_chunks(std::int64_t count, std::int64_t size, std::int64_t* partial,
                               const IsCounted& is_counted) {
  const std::int64_t chunks = (count + size - 1) / size;
  for (std::int64_t chunk = block(); chunk < chunks; chunk += blocks()) {
    const std::int64_t end = (chunk + 1) * size < count ? (chunk + 1) * size : count;
    std::int64_t found = 0;
    for (std::int64_t i = chunk * size + thread(); i < end; i += threads()) {
      found += is_counted(i) ? 1 : 0;
    }
    found = block_sum(found);
    if (thread() == 0) partial[chunk] = found;
  }
}

// Orders that agree with the bound above `bit` and have that bit.
template <typename T>
TY_KERNEL void count_orders(std::int64_t count, std::int64_t size, int bit, const Bound* bound,
                            std::int64_t* partial, const T* x) {
  count_in_chunks(count, size, partial, [=](std::int64_t i) {
    return ((order_at(x, i) ^ bound->from.order) >> bit) == 1;
  });
}

// Indices of equals that agree with the last one above `bit` and lack that bit.
template <typename T>
TY_KERNEL void count_indices(std::int64_t count, std::int64_t size, int bit, const Bound* bound,
                             std::int64_t* partial, const T* x) {
  count_in_chunks(count, size, partial, [=](std::int64_t i) {
    return ((i ^ bound->from.last) >> bit) == 0 && order_at(x, i) == bound->from.order;
  });
}

TY_DEVICE std::int64_t sum_of_counts(std::int64_t chunks, const std::int64_t* partial) {
  std::int64_t sum = 0;
  for (std::int64_t i = thread(); i < chunks; i += threads()) sum += partial[i];
  return block_sum(sum);
}

// The bound has the bit if enough have; otherwise all that have it are kept. One block.
TY_KERNEL inline void settle_order(std::int64_t chunks, int bit, Bound* bound,
                                   const std::int64_t* partial) {
  const std::int64_t found = sum_of_counts(chunks, partial);
  if (thread() != 0) return;
  if (bound->left <= found) {
    bound->from.order |= std::uint64_t{1} << bit;
  } else {
    bound->left -= found;
  }
}
// The last index lacks the bit if enough do; otherwise all that lack it are kept. One block.
TY_KERNEL inline void settle_index(std::int64_t chunks, int bit, Bound* bound,
                                   const std::int64_t* partial) {
  const std::int64_t found = sum_of_counts(chunks, partial);
  if (thread() != 0 || bound->left <= found) return;
  bound->left -= found;
  bound->from.last |= std::int64_t{1} << bit;
}

template <typename T, typename S>
TY_KERNEL void keep_from(std::int64_t count, const Bound* bound, T* y, const T* x,
                         const S* scores) {
  for (std::int64_t i = grid_thread(); i < count; i += grid_threads()) {
    y[i] = bound->from.keeps(order_at(scores, i), i) ? x[i] : narrow<T>(0.0F);
  }
}

}  // namespace ty::cuda::kernel
