#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/lanes.h"
#include "core/backend/cpu/runs.h"
#include "core/backend/formulas.h"

namespace ty {

namespace {

template <typename Fn>
void for_chunks(std::int64_t n, Fn&& fn) {
  const std::int64_t chunks = (n + cpu::kChunk - 1) / cpu::kChunk;
#pragma omp parallel for schedule(static) if (chunks > 1)
  for (std::int64_t i = 0; i < chunks; ++i) {
    fn(i * cpu::kChunk, std::min(cpu::kChunk, n - i * cpu::kChunk));
  }
}

}  // namespace

void CpuBackend::adamw(const View& w, const View& m, const View& v, const View& low,
                       const View& gradient, const AdamW& options) {
  if (w.dtype != DType::f32 || gradient.dtype != DType::f32) {
    return reference_.adamw(w, m, v, low, gradient, options);
  }
  const formulas::AdamWStep step(options);
  const spans::AdamWConstants constants = {
      .gradient_scale = static_cast<float>(options.gradient_scale),
      .beta1 = static_cast<float>(options.beta1),
      .beta2 = static_cast<float>(options.beta2),
      .decay = static_cast<float>(step.decay),
      .step_size = static_cast<float>(step.step_size),
      .inv_sqrt_correction2 = static_cast<float>(step.inv_sqrt_correction2),
      .eps = static_cast<float>(options.eps)};
  for_chunks(w.numel(), [&](std::int64_t first, std::int64_t n) {
    spans::adamw(w.as<float>() + first, m.as<float>() + first, v.as<float>() + first,
                 gradient.as<float>() + first, constants, n);
    if (low.dtype == DType::bf16 && low.data != nullptr) {
      spans::from_float(low.as<bf16>() + first, w.as<float>() + first, n);
    } else if (low.dtype == DType::f16 && low.data != nullptr) {
      spans::from_float(low.as<f16>() + first, w.as<float>() + first, n);
    }
  });
}

void CpuBackend::sgd(const View& w, const View& v, const View& low, const View& gradient,
                     const Sgd& options) {
  if (w.dtype != DType::f32 || gradient.dtype != DType::f32) {
    return reference_.sgd(w, v, low, gradient, options);
  }
  const auto scale = static_cast<float>(options.gradient_scale);
  const auto decay = static_cast<float>(options.weight_decay);
  const auto momentum = static_cast<float>(options.momentum);
  const auto lr = static_cast<float>(options.lr);
  for_chunks(w.numel(), [&](std::int64_t first, std::int64_t n) {
    float* weight = w.as<float>() + first;
    const float* grad = gradient.as<float>() + first;
    float* velocity = v.data == nullptr ? nullptr : v.as<float>() + first;
    for (std::int64_t i = 0; i < n; ++i) {
      float step = grad[i] * scale + decay * weight[i];
      if (velocity != nullptr) step = velocity[i] = momentum * velocity[i] + step;
      weight[i] -= lr * step;
    }
  });
  if (low.data != nullptr) copy(low, w);
}

}  // namespace ty
