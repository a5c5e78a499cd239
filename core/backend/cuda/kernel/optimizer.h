// Steps of optimizers on flat ranges: parameters lie in few large buffers, so one launch steps many
// tensors at once.
#pragma once

#include <cmath>

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

// The factor of clipped gradients, or NaN (core/backend/device_queue.h). One thread.
TY_KERNEL inline void clip_factor(double* factor, const double* squares, const double* loss,
                                  double limit, double scale) {
  if (grid_thread() != 0) return;
  const double norm = std::sqrt(*squares) / scale;
  // Infinity minus itself and NaN are NaN, whatever else is 0.
  const double bad = (norm - norm) + (*loss - *loss) + (*factor - *factor);
  *factor = bad + (limit > 0.0 && norm > limit ? limit / (norm + 1e-6) : 1.0) / scale;
}

// Numbers of something with this sum of squares, held to a norm (core/backend/backend.h).
template <int V, typename T>
TY_KERNEL void limit_norm(std::int64_t packs, T* y, const double* squares, double limit) {
  const double factor = formulas::within_norm(*squares, limit);
  if (factor == 1.0) return;
  for (std::int64_t item = grid_thread(); item < packs; item += grid_threads()) {
    auto pack = load<T, V>(y + item * V);
    TY_UNROLL for (int k = 0; k < V; ++k) pack[k] *= static_cast<T>(factor);
    store<V>(y + item * V, pack);
  }
}

template <int V, typename T>
TY_KERNEL void divide_by_norms(std::int64_t packs, T* y, const double* squares, std::int64_t count,
                               double root, double offset) {
  const double factor = 1.0 / formulas::sum_of_norms(squares, count, root, offset);
  for (std::int64_t item = grid_thread(); item < packs; item += grid_threads()) {
    auto pack = load<T, V>(y + item * V);
    TY_UNROLL for (int k = 0; k < V; ++k) pack[k] *= static_cast<T>(factor);
    store<V>(y + item * V, pack);
  }
}

// A factor that was made on the device: what gradients are multiplied by as well, and whether.
struct DeviceFactor {
  const double* data = nullptr;  // none: 1
  TY_DEVICE bool forbids() const { return data != nullptr && *data != *data; }
  TY_DEVICE double times(double scale) const { return data == nullptr ? scale : scale * *data; }
};

template <int V, typename W, typename G>
TY_KERNEL void adamw(std::int64_t packs, W* w, W* m, W* v, Low low, const G* gradient,
                     const TY_CONSTANT AdamW given, const formulas::AdamWStep step,
                     DeviceFactor factor) {
  if (factor.forbids()) return;
  AdamW options = given;
  options.gradient_scale = factor.times(given.gradient_scale);
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
TY_KERNEL void sgd(std::int64_t packs, W* w, W* v, Low low, const G* gradient, const Sgd o,
                   DeviceFactor factor) {
  if (factor.forbids()) return;
  const auto scale =
      static_cast<W>(o.is_clipped ? factor.times(o.gradient_scale) : o.gradient_scale);
  for (std::int64_t item = grid_thread(); item < packs; item += grid_threads()) {
    const std::int64_t i = item * V;
    auto weight = load<W, V>(w + i);
    auto step = load<W, V>(gradient + i);
    TY_UNROLL for (int k = 0; k < V; ++k) {
      step[k] = step[k] * scale + static_cast<W>(o.weight_decay) * weight[k];
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
