// What attention does between its matrix products: softmax over the keys that a query sees, and its
// gradient. A warp per query. Scores are [entries, H, Tq, Tk], contiguous, already scaled.
#pragma once

#include <cmath>

#include "core/backend/cuda/kernel/draws.h"
#include "core/backend/cuda/kernel/fault.h"
#include "core/backend/cuda/kernel/rows.h"

namespace ty::cuda::kernel {

// Element [b, h, t] of a strided view.
template <typename T>
struct Heads {
  T* data = nullptr;
  std::int64_t entry = 0, head = 0, step = 0;  // distances, in elements
  TY_DEVICE T* at(std::int64_t b, std::int64_t h, std::int64_t t) const {
    return data + b * entry + h * head + t * step;
  }
};

// The shape, and which probabilities there are.
template <typename A>
struct Scores {
  std::int64_t entries, heads, queries, keys;
  std::int64_t first_entry;  // number of the first one in the batch
  std::int64_t first_head;   // number of the first one in the model
  bool causal;
  Ids lengths;  // of the batch; no data: all keys
  bool drops;
  Mask<A> mask;

  TY_DEVICE std::int64_t rows() const { return entries * heads * queries; }
};

// A query of Scores, by its number.
template <typename A>
struct Query {
  std::int64_t b, h, i;        // b from first_entry
  std::int64_t keys;           // that it sees
  std::uint64_t sample, word;  // of its first key's random number

  TY_DEVICE Query(const Scores<A>& s, std::int64_t row) {
    i = row % s.queries;
    h = row / s.queries % s.heads;
    b = row / s.queries / s.heads;
    const std::int64_t entry = s.first_entry + b;
    keys = s.causal ? i + 1 + s.keys - s.queries : s.keys;
    if (s.lengths.data != nullptr && s.lengths[entry] < keys) keys = s.lengths[entry];
    keys = keys < 0 ? 0 : (keys > s.keys ? s.keys : keys);
    sample = s.drops ? s.mask.sample(entry) : 0;
    word = s.drops ? s.mask.first_word(entry, 0) : 0;
    word += static_cast<std::uint64_t>(((s.first_head + h) * s.queries + i) * s.keys);
  }
  TY_DEVICE A keep(const Scores<A>& s, std::int64_t key) const {
    if (!s.drops) return A(1);
    const std::uint64_t at = word + static_cast<std::uint64_t>(key);
    return s.mask.factor(random_word(s.mask.key, sample, at));
  }
};

// p = dropout(softmax(scores)), 0 where a query sees no key; lse: the logarithm of the softmax's
// denominator. p may be scores if it has their type.
template <typename A, typename T>
TY_KERNEL void softmax(const TY_CONSTANT Scores<A> s, T* p, Heads<A> lse, const A* scores) {
  for (std::int64_t row = grid_warp(); row < s.rows(); row += grid_warps()) {
    const Query<A> query(s, row);
    const A* const from = scores + row * s.keys;
    A top = -INFINITY, sum = 0;
    for (std::int64_t j = lane(); j < query.keys; j += kWarp) top = larger(top, from[j]);
    top = warp_max(top);
    for (std::int64_t j = lane(); j < query.keys; j += kWarp) sum += std::exp(from[j] - top);
    const A total = top + std::log(warp_sum(sum));
    for (std::int64_t j = lane(); j < s.keys; j += kWarp) {
      const A value = j < query.keys ? query.keep(s, j) * std::exp(from[j] - total) : A(0);
      p[row * s.keys + j] = narrow<T>(value);
    }
    if (lane() == 0) *lse.at(query.b, query.h, query.i) = total;
  }
}

// From the scores and dp = dy v^T: p as softmax() made it, and ds = scale p' (keep dp - dy.y), p'
// without dropout. p may be scores and ds may be dp if they have that type.
template <typename A, typename T>
TY_KERNEL void softmax_grad(const TY_CONSTANT Scores<A> s, A scale, std::int64_t width, T* p, T* ds,
                            const A* scores, const A* dp, Heads<const A> lse, Heads<const T> dy,
                            Heads<const T> y) {
  for (std::int64_t row = grid_warp(); row < s.rows(); row += grid_warps()) {
    const Query<A> query(s, row);
    const T* const dy_row = dy.at(query.b, query.h, query.i);
    const T* const y_row = y.at(query.b, query.h, query.i);
    A dot = 0;
    for (std::int64_t d = lane(); d < width; d += kWarp) {
      dot += widen<A>(dy_row[d]) * widen<A>(y_row[d]);
    }
    dot = warp_sum(dot);
    const A total = *lse.at(query.b, query.h, query.i);
    for (std::int64_t j = lane(); j < s.keys; j += kWarp) {
      const std::int64_t at = row * s.keys + j;
      A probability = 0, slope = 0;
      if (j < query.keys) {
        const A whole = std::exp(scores[at] - total), keep = query.keep(s, j);
        probability = keep * whole;
        slope = whole * (keep * dp[at] - dot) * scale;
      }
      p[at] = narrow<T>(probability);
      ds[at] = narrow<T>(slope);
    }
  }
}

// y[b, h, t, :] = x, but zeros from each entry's length on: what lies there must not get into sums.
// y [entries, H, T, D] contiguous.
template <typename T>
TY_KERNEL void zero_behind(std::int64_t entries, std::int64_t heads, std::int64_t length,
                           std::int64_t width, std::int64_t first_entry, T* y, Heads<const T> x,
                           Ids lengths) {
  for (std::int64_t i = grid_thread(); i < entries * heads * length * width; i += grid_threads()) {
    const std::int64_t d = i % width, t = i / width % length, h = i / width / length % heads;
    const std::int64_t b = i / width / length / heads;
    y[i] = t < lengths[first_entry + b] ? x.at(b, h, t)[d] : narrow<T>(0.0f);
  }
}

// Lengths with which cuDNN can do: from 1 to the number of keys.
TY_KERNEL inline void usable_lengths(std::int64_t entries, std::int64_t keys, Ids lengths,
                                     std::int32_t* usable) {
  for (std::int64_t b = grid_thread(); b < entries; b += grid_threads()) {
    const std::int64_t length = lengths[b] < 1 ? 1 : lengths[b];
    usable[b] = static_cast<std::int32_t>(length > keys ? keys : length);
  }
}

// x[b, h, t, :] = 0 in the entries whose length is 0.
template <typename T>
TY_KERNEL void zero_empty(std::int64_t entries, std::int64_t heads, std::int64_t rows,
                          std::int64_t width, Heads<T> x, Ids lengths) {
  for (std::int64_t i = grid_thread(); i < entries * heads * rows * width; i += grid_threads()) {
    const std::int64_t d = i % width, t = i / width % rows, h = i / width / rows % heads;
    const std::int64_t b = i / width / rows / heads;
    if (lengths[b] <= 0) x.at(b, h, t)[d] = narrow<T>(0.0f);
  }
}

// x = 1 where it is not 0.
template <typename T>
TY_KERNEL void to_ones(std::int64_t count, T* x) {
  for (std::int64_t i = grid_thread(); i < count; i += grid_threads()) {
    x[i] = narrow<T>(widen<Accumulator<T>>(x[i]) == 0 ? 0.0f : 1.0f);
  }
}

// Notes the first length that is larger than the number of keys.
TY_KERNEL inline void check_lengths(std::int64_t entries, std::int64_t keys, Ids lengths,
                                    Fault* fault) {
  for (std::int64_t b = grid_thread(); b < entries; b += grid_threads()) {
    if (lengths[b] > keys) fault->note(Place::attention, lengths[b], b, keys);
  }
}

}  // namespace ty::cuda::kernel
