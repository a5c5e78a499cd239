// Layer norm row by row. 16-bit rows pass through float buffers of their thread.
#include <algorithm>
#include <cmath>

#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/spans.h"
#include "core/backend/host_workspace.h"
#include "core/backend/scratch.h"

namespace ty {

namespace {

constexpr std::int64_t kRows = host_workspace::kSumRows;

// A run as floats: where it lies if it is fp32, in `buffer` otherwise.
template <typename T>
const float* load(float* buffer, const T* x, std::int64_t n) {
  if constexpr (std::is_same_v<T, float>) {
    return x;
  } else {
    spans::to_float(buffer, x, n);
    return buffer;
  }
}

// Where to compute a run that is to end up in y, and the way there.
template <typename T>
float* target(float* buffer, T* y) {
  if constexpr (std::is_same_v<T, float>) {
    return y;
  } else {
    return buffer;
  }
}
template <typename T>
void store(T* y, const float* buffer, std::int64_t n) {
  if constexpr (!std::is_same_v<T, float>) spans::from_float(y, buffer, n);
}

// Calls fn(T{}) for the types whose arithmetic is float.
template <typename Fn>
void dispatch_narrow(DType dtype, Fn&& fn) {
  switch (dtype) {
    case DType::bf16:
      return fn(bf16{});
    case DType::f16:
      return fn(f16{});
    default:
      return fn(float{});
  }
}

}  // namespace

void CpuBackend::layer_norm(const View& y, const View& mean, const View& rstd, const View& x,
                            const View& gamma, const View& beta, double eps) {
  if (x.dtype == DType::f64) return reference_.layer_norm(y, mean, rstd, x, gamma, beta, eps);
  const std::int64_t width = x.shape[1];
  dispatch_narrow(x.dtype, [&](auto t) {
    using T = decltype(t);
    const Scratch scratch(memory_, sizeof(T) == 4 ? 0 : (2 + threads()) * width * 4);
    float* buffers = scratch.as<float>();
    const float* scale = load(buffers, gamma.as<T>(), width);
    const float* shift = load(buffers + width, beta.as<T>(), width);
#pragma omp parallel for schedule(static) if (x.shape[0] > 1)
    for (std::int64_t r = 0; r < x.shape[0]; ++r) {
      float* own = buffers + (2 + thread()) * width;
      const float* row = load(own, x.as<T>() + r * x.strides[0], width);
      const auto mu = static_cast<float>(spans::sum(row, width) / static_cast<double>(width));
      const double variance =
          static_cast<double>(spans::sum_deviations(row, mu, width)) / static_cast<double>(width);
      const auto inverse = static_cast<float>(1.0 / std::sqrt(variance + eps));
      mean.as<float>()[r] = mu;
      rstd.as<float>()[r] = inverse;
      T* out = y.as<T>() + r * y.strides[0];
      spans::normalise(target(own, out), row, mu, inverse, scale, shift, width);
      store(out, own, width);
    }
  });
}

void CpuBackend::layer_norm_grad(const View& dx, const View& dgamma, const View& dbeta,
                                 const View& dy, const View& x, const View& mean, const View& rstd,
                                 const View& gamma) {
  if (x.dtype == DType::f64) {
    return reference_.layer_norm_grad(dx, dgamma, dbeta, dy, x, mean, rstd, gamma);
  }
  const std::int64_t rows = x.shape[0], width = x.shape[1];
  const std::int64_t blocks = std::max<std::int64_t>(1, (rows + kRows - 1) / kRows);
  const Scratch sums(memory_, blocks * 2 * width * 4);
  float* partial = sums.as<float>();  // per block: of dgamma, then of dbeta
  dispatch_narrow(x.dtype, [&](auto t) {
    using T = decltype(t);
    const Scratch scratch(memory_, sizeof(T) == 4 ? 0 : (1 + 2 * threads()) * width * 4);
    float* buffers = scratch.as<float>();
    const float* scale = load(buffers, gamma.as<T>(), width);
#pragma omp parallel for schedule(static) if (blocks > 1)
    for (std::int64_t block = 0; block < blocks; ++block) {
      float* own = buffers + (1 + 2 * thread()) * width;
      float* gain = partial + block * 2 * width;
      std::fill_n(gain, 2 * width, 0.0f);
      for (std::int64_t r = block * kRows; r < std::min(rows, (block + 1) * kRows); ++r) {
        const float* slope = load(own, dy.as<T>() + r * dy.strides[0], width);
        const float* row = load(own + width, x.as<T>() + r * x.strides[0], width);
        T* out = dx.as<T>() + r * dx.strides[0];
        spans::normalise_grad(target(own, out), gain, gain + width, slope, row, mean.as<float>()[r],
                              rstd.as<float>()[r], scale, width);
        store(out, own, width);
      }
    }
  });
  for (std::int64_t block = 1; block < blocks; ++block) {
    spans::binary(BinaryOp::add, partial, partial, partial + block * 2 * width, 2 * width, 1);
  }
  axpby(dgamma, 1.0, contiguous_view(partial, DType::f32, {width}), 0.0);
  axpby(dbeta, 1.0, contiguous_view(partial + width, DType::f32, {width}), 0.0);
}

}  // namespace ty
