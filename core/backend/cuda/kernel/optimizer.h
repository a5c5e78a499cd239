// Steps of optimizers on flat ranges: parameters lie in few large buffers, so one launch steps many
// tensors at once.
#pragma once

#include "core/backend/cuda/kernel/pack.h"
#include "core/backend/formulas.h"

namespace ty::cuda::kernel {

// The 16-bit copy of the weights that the model reads.
struct Low {
  std::uint16_t* data = nullptr;  // none if null
  bool is_bf16 = true;
  template <int V, typename W>
  TY_DEVICE void store_at(std::int64_t i, const Pack<W, V>& w) const {
    if (data == nullptr) return;
    if (is_bf16) {
      store<V>(reinterpret_cast<Bf16*>(data) + i, w);
    } else {
      store<V>(reinterpret_cast<F16*>(data) + i, w);
    }
  }
};

template <int V, typename W, typename G>
TY_KERNEL void adamw(std::int64_t packs, W* w, W* m, W* v, Low low, const G* gradient,
                     const TY_CONSTANT AdamW options, const formulas::AdamWStep step) {
  for (std::int64_t item = grid_thread(); item < packs; item += grid_threads()) {
    const std::int64_t i = item * V;
    auto weight = load<W, V>(w + i), first = load<W, V>(m + i), second = load<W, V>(v + i);
    const auto g = load<W, V>(gradient + i);
    TY_UNROLL for (int k = 0; k < V; ++k) {
      formulas::adamw(weight[k], first[k], second[k], g[k], options, step);
    }
    store<V>(w + i, weight);
    store<V>(m + i, first);
    store<V>(v + i, second);
    low.store_at(i, weight);
  }
}

template <int V, typename W, typename G>
TY_KERNEL void sgd(std::int64_t packs, W* w, W* v, Low low, const G* gradient, const Sgd o) {
  for (std::int64_t item = grid_thread(); item < packs; item += grid_threads()) {
    const std::int64_t i = item * V;
    auto weight = load<W, V>(w + i);
    auto step = load<W, V>(gradient + i);
    TY_UNROLL for (int k = 0; k < V; ++k) {
      step[k] =
          step[k] * static_cast<W>(o.gradient_scale) + static_cast<W>(o.weight_decay) * weight[k];
    }
    if (v != nullptr) {
      const auto velocity = load<W, V>(v + i);
      TY_UNROLL for (int k = 0; k < V; ++k) step[k] += static_cast<W>(o.momentum) * velocity[k];
      store<V>(v + i, step);
    }
    TY_UNROLL for (int k = 0; k < V; ++k) weight[k] -= static_cast<W>(o.lr) * step[k];
    store<V>(w + i, weight);
    low.store_at(i, weight);
  }
}

}  // namespace ty::cuda::kernel
