#include "core/backend/cpu/few_rows.h"

#include <algorithm>
#include <type_traits>

#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/host_workspace.h"
#include "core/backend/scratch.h"
#include "core/base/rounding.h"

namespace ty {

namespace {

constexpr std::int64_t kShared = 1 << 15;  // smaller matrices stay on one thread
constexpr std::int64_t kGrain = 16;        // columns, so that threads write whole cache lines

// c = alpha y + beta c of a block's columns.
template <typename C>
void finish(const View& c, std::int64_t first, std::int64_t count, const float* y,
            const GemmScale& scale) {
  const auto alpha = static_cast<float>(scale.alpha), beta = static_cast<float>(scale.beta);
  for (std::int64_t m = 0; m < c.shape[0]; ++m) {
    C* to = c.as<C>() + m * c.strides[0] + first;
    const float* from = y + m * cpu::kBlockColumns;
    for (std::int64_t j = 0; j < count; ++j) {
      const float value = alpha * from[j];
      to[j] = static_cast<C>(beta == 0.0f ? value : value + beta * static_cast<float>(to[j]));
    }
  }
}

// Columns [first, last) of c, block by block.
template <typename T>
void multiply_share(const View& c, const float* x, std::int64_t x_row, const View& w,
                    const GemmScale& scale, std::int64_t first, std::int64_t last) {
  const bool transposed = w.strides[1] != 1;
  const std::int64_t w_row = w.strides[transposed ? 1 : 0];
  float y[host_workspace::kFewRows * cpu::kBlockColumns];
  for (; first < last; first += cpu::kBlockColumns) {
    const std::int64_t count = std::min(cpu::kBlockColumns, last - first);
    const T* from = w.as<T>() + first * w.strides[1];
    const cpu::FewRows<T> block = {x, x_row, c.shape[0], w.shape[0], count, from, w_row, y};
    transposed ? cpu::multiply_rows(block) : cpu::multiply_columns(block);
    c.dtype == DType::f32 ? finish<float>(c, first, count, y, scale)
                          : finish<T>(c, first, count, y, scale);
  }
}

template <typename T>
void multiply(const View& c, const float* x, std::int64_t x_row, const View& w,
              const GemmScale& scale, std::int64_t threads) {
  const std::int64_t columns = c.shape[1];
  if (w.numel() < kShared) threads = 1;
  const std::int64_t share = round_up(divided_up(columns, threads), kGrain);
#pragma omp parallel for schedule(static) num_threads(static_cast <int>(threads))
  for (std::int64_t first = 0; first < columns; first += share) {
    multiply_share<T>(c, x, x_row, w, scale, first, std::min(first + share, columns));
  }
}

}  // namespace

void CpuBackend::gemm_of_few_rows(const View& c, const View& a, const View& b, GemmScale scale) {
  if (a.dtype == DType::f32) {
    return multiply<float>(c, a.as<float>(), a.strides[0], b, scale, threads());
  }
  const Scratch wide(memory_, a.numel() * 4);
  copy(contiguous_view(wide.as<float>(), DType::f32, a.shape), a);
  const float* x = wide.as<float>();
  a.dtype == DType::bf16 ? multiply<bf16>(c, x, a.shape[1], b, scale, threads())
                         : multiply<f16>(c, x, a.shape[1], b, scale, threads());
}

}  // namespace ty
