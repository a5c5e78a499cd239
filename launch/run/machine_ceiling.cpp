#include "launch/run/machine_ceiling.h"

#include <algorithm>

#include "core/base/stopwatch.h"
#include "core/tensor/tensor.h"

namespace ty {

namespace {

// Best rate of `work` units per call within a time budget, after one call to warm up.
template <typename Fn>
double best_rate(double seconds, double work, Fn fn) {
  fn();
  double best = 0;
  const Stopwatch watch;
  do {
    best = std::max(best, work / seconds_of(fn));
  } while (watch.seconds() < seconds);
  return best;
}

}  // namespace

MachineCeiling measure_ceiling(Backend& backend, double seconds) {
  MachineCeiling ceiling;
  {
    constexpr std::int64_t n = 1024;
    const Tensor a = Tensor::full(backend, {n, n}, DType::f32, 0.5);
    const Tensor b = Tensor::full(backend, {n, n}, DType::f32, 0.5);
    const Tensor c = Tensor::empty(backend, {n, n}, DType::f32);
    ceiling.gemm_flops_per_second = best_rate(seconds * 0.7, 2.0 * n * n * n, [&] {
      backend.gemm(c.view(), a.view(), b.view(), {});
      backend.synchronize();
    });
  }
  constexpr std::int64_t n = std::int64_t{1} << 24;  // 64 MiB
  const Tensor x = Tensor::full(backend, {n}, DType::f32, 1.0);
  const Tensor y = Tensor::full(backend, {n}, DType::f32, 0.0);
  ceiling.copy_bytes_per_second = best_rate(seconds * 0.3, 8.0 * n, [&] {
    backend.copy(y.view(), x.view());
    backend.synchronize();
  });
  return ceiling;
}

double read_rate(const View& x, double seconds) {
  const auto words = static_cast<std::int64_t>(x.bytes() / sizeof(std::uint64_t));
  const auto* data = x.as<const std::uint64_t>();
  return best_rate(seconds, static_cast<double>(words) * sizeof(std::uint64_t), [&] {
    std::uint64_t all = 0;
#pragma omp parallel for simd schedule(static) reduction(+ : all)
    for (std::int64_t i = 0; i < words; ++i) all += data[i];
    volatile std::uint64_t kept = all;  // so that the loop is run
    static_cast<void>(kept);
  });
}

}  // namespace ty
