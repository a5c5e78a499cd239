// Cross-entropy of rows of logits: a block per row, which reads it once (Milakov and Gimelshein,
// "Online normalizer calculation for softmax", arXiv 1805.02867).
#pragma once

#include <cmath>
#include <limits>

#include "core/backend/cuda/kernel/fault.h"
#include "core/backend/cuda/kernel/rows.h"

namespace ty::cuda::kernel {

// The largest of some numbers, and the sum of exp(x - top) over them. NaN shows in the sum.
template <typename A>
struct SumOfExp {
  A top = -std::numeric_limits<A>::infinity();
  A sum = 0;

  // exp(x - reference), and 0 where both are minus infinity.
  TY_DEVICE static A scaled(A x, A reference) {
    return x == -std::numeric_limits<A>::infinity() ? A(0) : std::exp(x - reference);
  }
  template <int V>
  TY_DEVICE void add(const Pack<A, V>& x) {
    A next = top;
    TY_UNROLL for (int i = 0; i < V; ++i) next = larger(next, x[i]);
    if (next != top) sum *= scaled(top, next);
    TY_UNROLL for (int i = 0; i < V; ++i) sum += scaled(x[i], next);
    top = next;
  }
  TY_DEVICE void add(const SumOfExp& other) {
    const A next = larger(top, other.top);
    sum = sum * scaled(top, next) + other.sum * scaled(other.top, next);
    top = next;
  }
};

// Of all numbers that the threads of the block hold; every thread gets it.
template <typename A>
TY_DEVICE SumOfExp<A> block_sum(SumOfExp<A> own) {
  TY_SHARED A tops[kWarps], sums[kWarps];
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    own.add(SumOfExp<A>{from_lane_xor(own.top, mask), from_lane_xor(own.sum, mask)});
  }
  if (lane() == 0) {
    tops[thread() / kWarp] = own.top;
    sums[thread() / kWarp] = own.sum;
  }
  barrier();
  SumOfExp<A> total{tops[0], sums[0]};
  for (int warp = 1; warp < kWarps; ++warp) total.add(SumOfExp<A>{tops[warp], sums[warp]});
  barrier();
  return total;
}

template <typename A>
struct LossTerms {
  A smoothing, z_loss;
  A share;  // smoothing / ids of the whole vocabulary
};

template <typename A>
struct Column {
  A* data = nullptr;
  std::int64_t step = 1;
  TY_DEVICE A& operator[](std::int64_t n) const { return data[n * step]; }
};

template <int V, typename T, typename A>
TY_KERNEL void cross_entropy(std::int64_t rows, std::int64_t packs, Column<A> loss, Column<A> lse,
                             Rows<const T> logits, Ids targets, Slice slice, LossTerms<A> terms,
                             Fault* fault) {
  for (std::int64_t n = block(); n < rows; n += blocks()) {
    const T* const row = logits.row(n);
    SumOfExp<A> own;
    A flat = 0;
    for (std::int64_t p = thread(); p < packs; p += threads()) {
      const auto x = load<A, V>(row + p * V);
      own.add(x);
      TY_UNROLL for (int i = 0; i < V; ++i) flat += x[i];
    }
    const SumOfExp<A> all = block_sum(own);
    if (terms.smoothing > A(0)) flat = block_sum(flat);
    if (thread() != 0) continue;
    const std::int64_t target = targets[n];
    if (target >= slice.whole) fault->note(Place::cross_entropy, target, n, slice.whole);
    const A log_sum = std::log(all.sum), total = all.top + log_sum;
    const std::int64_t at = slice.row_of(target);
    A wanted = at < 0 ? A(0) : widen<A>(row[at]);
    if (terms.smoothing > A(0)) wanted = (A(1) - terms.smoothing) * wanted + terms.share * flat;
    A value = log_sum + (all.top - wanted);
    if (terms.z_loss > A(0)) value += terms.z_loss * total * total;
    lse[n] = total;
    loss[n] = target < 0 ? A(0) : value;
  }
}

// dlogits may be logits: every thread reads and writes its own elements.
template <int V, typename T, typename A>
TY_KERNEL void cross_entropy_grad(std::int64_t rows, std::int64_t packs, Rows<T> dlogits,
                                  Rows<const T> logits, Column<const A> lse, Ids targets,
                                  Column<const A> dloss, Slice slice, LossTerms<A> terms,
                                  Fault* fault) {
  for (std::int64_t n = block(); n < rows; n += blocks()) {
    const std::int64_t target = targets[n], own = slice.row_of(target);
    if (target >= slice.whole && thread() == 0) {
      fault->note(Place::cross_entropy, target, n, slice.whole);
    }
    const A weight = target < 0 ? A(0) : dloss[n], total = lse[n];
    const A scale = terms.z_loss > A(0) ? A(1) + A(2) * terms.z_loss * total : A(1);
    for (std::int64_t p = thread(); p < packs; p += threads()) {
      const auto x = load<A, V>(logits.row(n) + p * V);
      Pack<A, V> g;
      TY_UNROLL for (int i = 0; i < V; ++i) {
        const A wanted = terms.share + (p * V + i == own ? A(1) - terms.smoothing : A(0));
        g[i] = target < 0 ? A(0) : weight * (scale * std::exp(x[i] - total) - wanted);
      }
      store<V>(dlogits.row(n) + p * V, g);
    }
  }
}

}  // namespace ty::cuda::kernel
