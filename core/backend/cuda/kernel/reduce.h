// Sums over some dimensions, in two stages: partial sums of chunks whose bounds depend on shapes
// alone, then the chunks in order. So the bits do not depend on the launch.
#pragma once

#include "core/backend/cuda/kernel/group.h"
#include "core/backend/cuda/kernel/numbers.h"
#include "core/backend/cuda/kernel/walk.h"

namespace ty::cuda::kernel {

// The operand: x[output's offset + term's offset].
struct Terms {
  Walk<1> outputs, terms;
  std::int64_t chunk = 0, chunks = 0;  // terms of a partial sum; how many of those an output has
};

// partial[chunk, output], a thread each: for terms that are far apart and outputs that are
// adjacent.
template <typename A, typename T>
TY_KERNEL void sum_columns(const TY_CONSTANT Terms t, A* partial, const T* x) {
  for (std::int64_t i = grid_thread(); i < t.outputs.items * t.chunks; i += grid_threads()) {
    const std::int64_t chunk = i / t.outputs.items, output = i % t.outputs.items;
    const T* const from = x + t.outputs.locate(output);
    const std::int64_t begin = chunk * t.chunk;
    const std::int64_t end = begin + t.chunk < t.terms.items ? begin + t.chunk : t.terms.items;
    A sum = 0;
    for (std::int64_t k = begin; k < end; ++k) sum += widen<A>(from[t.terms.locate(k)]);
    partial[i] = sum;
  }
}

// The same, a warp each: for terms that are adjacent.
template <typename A, typename T>
TY_KERNEL void sum_rows(const TY_CONSTANT Terms t, A* partial, const T* x) {
  for (std::int64_t i = grid_warp(); i < t.outputs.items * t.chunks; i += grid_warps()) {
    const std::int64_t chunk = i / t.outputs.items, output = i % t.outputs.items;
    const T* const from = x + t.outputs.locate(output);
    const std::int64_t begin = chunk * t.chunk;
    const std::int64_t end = begin + t.chunk < t.terms.items ? begin + t.chunk : t.terms.items;
    A sum = 0;
    for (std::int64_t k = begin + lane(); k < end; k += kWarp) {
      sum += widen<A>(from[t.terms.locate(k)]);
    }
    sum = warp_sum(sum);
    if (lane() == 0) partial[i] = sum;
  }
}

// y[output] = beta y[output] + the chunks' sums.
template <typename A, typename Y>
TY_KERNEL void sum_chunks(const TY_CONSTANT Walk<1> outputs, std::int64_t chunks, Y* y,
                          const A* partial, double beta) {
  using C = Wider<A, Y>;
  for (std::int64_t i = grid_thread(); i < outputs.items; i += grid_threads()) {
    A sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) sum += partial[chunk * outputs.items + i];
    Y& to = y[outputs.locate(i)];
    const C before = beta == 0.0 ? C(0) : static_cast<C>(beta) * widen<C>(to);
    to = narrow<Y>(before + static_cast<C>(sum));
  }
}

// partial[chunk] = sum of the squares of x[chunk * size ..), in double; a block each.
template <typename T>
TY_KERNEL void sum_squares(std::int64_t count, std::int64_t size, double* partial, const T* x) {
  const std::int64_t chunks = (count + size - 1) / size;
  for (std::int64_t chunk = block(); chunk < chunks; chunk += blocks()) {
    const std::int64_t end = (chunk + 1) * size < count ? (chunk + 1) * size : count;
    double sum = 0;
    for (std::int64_t i = chunk * size + thread(); i < end; i += threads()) {
      const auto value = widen<double>(x[i]);
      sum += value * value;
    }
    sum = block_sum(sum);
    if (thread() == 0) partial[chunk] = sum;
  }
}
// y[0] = the sum of all partial sums; one block.
TY_KERNEL inline void sum_partials(std::int64_t chunks, double* y, const double* partial) {
  double sum = 0;
  for (std::int64_t i = thread(); i < chunks; i += threads()) sum += partial[i];
  sum = block_sum(sum);
  if (thread() == 0) y[0] = sum;
}

}  // namespace ty::cuda::kernel
