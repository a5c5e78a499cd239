// One kernel for everything that is computed element by element: f makes a pack of y from those of
// up to two operands. f's operator() gets the number of the first element and the packs, and names
// the type that it computes in.
#pragma once

#include "core/backend/cuda/kernel/pack.h"
#include "core/backend/cuda/kernel/walk.h"

namespace ty::cuda::kernel {

template <int V, typename F, typename Y, typename A, typename B>
TY_KERNEL void map(const TY_CONSTANT Walk<3> walk, const TY_CONSTANT F f, Y* y, const A* a,
                   const B* b) {
  using C = typename F::Compute;
  const auto operand = [&](const auto* p, int k, std::int64_t at) {
    return walk.repeats[k] ? repeat<C, V>(p + at) : load<C, V>(p + at);
  };
  for (std::int64_t item = grid_thread(); item < walk.items; item += grid_threads()) {
    std::int64_t at[3];
    walk.locate(item, at);
    Pack<C, V> result;
    f(item * V, result, operand(a, 1, at[1]), operand(b, 2, at[2]));
    store<V>(y + at[0], result);
  }
}

}  // namespace ty::cuda::kernel
