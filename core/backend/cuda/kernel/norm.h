// LayerNorm: a warp per row. Rows are read once per pass; after the first they lie in the cache.
#pragma once

#include <cmath>

#include "core/backend/cuda/kernel/rows.h"

namespace ty::cuda::kernel {

// V elements per pack; `packs` of them are a row.
template <int V, typename T, typename A>
TY_KERNEL void layer_norm(std::int64_t rows, std::int64_t packs, Rows<T> y, A* mean, A* rstd,
                          Rows<const T> x, const T* gamma, const T* beta, A eps) {
  const A width = static_cast<A>(packs * V);
  for (std::int64_t n = grid_warp(); n < rows; n += grid_warps()) {
    const T* const from = x.row(n);
    const A mu = sum_over_packs<A>(packs,
                                   [&](std::int64_t p) {
                                     const auto pack = load<A, V>(from + p * V);
                                     A sum = 0;
                                     TY_UNROLL for (int i = 0; i < V; ++i) sum += pack[i];
                                     return sum;
                                   }) /
                 width;
    const A variance = sum_over_packs<A>(packs,
                                         [&](std::int64_t p) {
                                           const auto pack = load<A, V>(from + p * V);
                                           A sum = 0;
                                           TY_UNROLL for (int i = 0; i < V; ++i) {
                                             sum += (pack[i] - mu) * (pack[i] - mu);
                                           }
                                           return sum;
                                         }) /
                       width;
    const A r = A(1) / std::sqrt(variance + eps);
    for (std::int64_t p = lane(); p < packs; p += kWarp) {
      const auto pack = load<A, V>(from + p * V);
      const auto gain = load<A, V>(gamma + p * V), bias = load<A, V>(beta + p * V);
      Pack<A, V> result;
      TY_UNROLL for (int i = 0; i < V; ++i) result[i] = (pack[i] - mu) * r * gain[i] + bias[i];
      store<V>(y.row(n) + p * V, result);
    }
    if (lane() == 0) {
      mean[n] = mu;
      rstd[n] = r;
    }
  }
}

// dx = rstd (s - mean(s) - u mean(s u)) with s = dy gamma and u = (x - mean) rstd. dx may be dy.
template <int V, typename T, typename A>
TY_KERNEL void layer_norm_grad(std::int64_t rows, std::int64_t packs, Rows<T> dx, Rows<const T> dy,
                               Rows<const T> x, const A* mean, const A* rstd, const T* gamma) {
  const A width = static_cast<A>(packs * V);
  for (std::int64_t n = grid_warp(); n < rows; n += grid_warps()) {
    const A mu = mean[n], r = rstd[n];
    A sum = 0, dot = 0;
    for (std::int64_t p = lane(); p < packs; p += kWarp) {
      const auto d = load<A, V>(dy.row(n) + p * V), v = load<A, V>(x.row(n) + p * V);
      const auto gain = load<A, V>(gamma + p * V);
      TY_UNROLL for (int i = 0; i < V; ++i) {
        sum += d[i] * gain[i];
        dot += d[i] * gain[i] * ((v[i] - mu) * r);
      }
    }
    sum = warp_sum(sum) / width;
    dot = warp_sum(dot) / width;
    for (std::int64_t p = lane(); p < packs; p += kWarp) {
      const auto d = load<A, V>(dy.row(n) + p * V), v = load<A, V>(x.row(n) + p * V);
      const auto gain = load<A, V>(gamma + p * V);
      Pack<A, V> result;
      TY_UNROLL for (int i = 0; i < V; ++i) {
        result[i] = r * (d[i] * gain[i] - sum - (v[i] - mu) * r * dot);
      }
      store<V>(dx.row(n) + p * V, result);
    }
  }
}

// Sums over the rows of a chunk: gains[chunk, c] of dy u, biases[chunk, c] of dy; a thread each.
template <typename T, typename A>
TY_KERNEL void layer_norm_sums(std::int64_t rows, std::int64_t width, std::int64_t chunk,
                               std::int64_t chunks, A* gains, A* biases, Rows<const T> dy,
                               Rows<const T> x, const A* mean, const A* rstd) {
  for (std::int64_t i = grid_thread(); i < chunks * width; i += grid_threads()) {
    const std::int64_t begin = i / width * chunk, c = i % width;
    const std::int64_t end = begin + chunk < rows ? begin + chunk : rows;
    A gain = 0, bias = 0;
    for (std::int64_t n = begin; n < end; ++n) {
      const A d = widen<A>(dy.row(n)[c]);
      gain += d * ((widen<A>(x.row(n)[c]) - mean[n]) * rstd[n]);
      bias += d;
    }
    gains[i] = gain;
    biases[i] = bias;
  }
}

}  // namespace ty::cuda::kernel
