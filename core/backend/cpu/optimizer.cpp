#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/lanes.h"
#include "core/backend/cpu/runs.h"
#include "core/backend/formulas.h"

namespace ty {

namespace {

// The 16-bit copy of weights [at, at + count), if there is one.
void rewrite(const View& low, const View& w, std::int64_t at, std::int64_t count) {
  if (low.data == nullptr) return;
  if (low.dtype == DType::bf16) {
    spans::from_float(low.as<bf16>() + at, w.as<float>() + at, count);
  } else {
    spans::from_float(low.as<f16>() + at, w.as<float>() + at, count);
  }
}

template <typename T, typename Fn>
void update_from(const T* gradient, const View& w, const View& low, const Fn& fn) {
  const std::int64_t n = w.numel();
  const std::int64_t chunks = (n + cpu::kChunk - 1) / cpu::kChunk;
#pragma omp parallel for schedule(static) if (chunks > 1)
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const std::int64_t start = chunk * cpu::kChunk;
    cpu::each_as_floats(gradient + start, std::min(cpu::kChunk, n - start),
                        [&](const float* g, std::int64_t first, std::int64_t count) {
                          fn(start + first, count, g);
                          rewrite(low, w, start + first, count);
                        });
  }
}

// Calls fn(first, count, gradient as floats) over pieces of all elements, and rewrites `low` behind
// it while the weights are in cache. The gradient is fp32, bf16 or fp16.
template <typename Fn>
void update(const View& w, const View& low, const View& gradient, const char* what, const Fn& fn) {
  dispatch_float(gradient.dtype, what, [&](auto t) {
    using T = decltype(t);
    if constexpr (!std::is_same_v<T, double>) update_from(gradient.as<T>(), w, low, fn);
  });
}

// What the loops above cannot do: fp64, which serves checks.
bool is_wide(const View& w, const View& low, const View& gradient) {
  return w.dtype != DType::f32 || gradient.dtype == DType::f64 ||
         (low.data != nullptr && size_of(low.dtype) != 2);
}

}  // namespace

void CpuBackend::limit_norm(const View& y, const View& squares, double limit) {
  const double factor = formulas::within_norm(squares.as<const double>()[0], limit);
  if (factor < 1.0) axpby(y, factor, y, 0.0);
}

void CpuBackend::divide_by_norms(const View& y, const View& squares, double root, double offset) {
  const double norms =
      formulas::sum_of_norms(squares.as<const double>(), squares.numel(), root, offset);
  axpby(y, 1.0 / norms, y, 0.0);
}

void CpuBackend::adamw(const View& w, const View& m, const View& v, const View& low,
                       const View& gradient, const AdamW& options) {
  if (is_wide(w, low, gradient)) {
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
  update(w, low, gradient, "adamw", [&](std::int64_t at, std::int64_t n, const float* g) {
    spans::adamw(w.as<float>() + at, m.as<float>() + at, v.as<float>() + at, g, constants, n);
  });
}

void CpuBackend::sgd(const View& w, const View& v, const View& low, const View& gradient,
                     const Sgd& options) {
  if (is_wide(w, low, gradient)) {
    return reference_.sgd(w, v, low, gradient, options);
  }
  const auto scale = static_cast<float>(options.gradient_scale);
  const auto decay = static_cast<float>(options.weight_decay);
  const auto momentum = static_cast<float>(options.momentum);
  const auto lr = static_cast<float>(options.lr);
  update(w, low, gradient, "sgd", [&](std::int64_t at, std::int64_t n, const float* g) {
    float* weight = w.as<float>() + at;
    float* velocity = v.data == nullptr ? nullptr : v.as<float>() + at;
    for (std::int64_t i = 0; i < n; ++i) {
      float step = g[i] * scale + decay * weight[i];
      if (velocity != nullptr) step = velocity[i] = momentum * velocity[i] + step;
      weight[i] -= lr * step;
    }
  });
}

}  // namespace ty
