// Kernels that draw numbers, the same as the CPU's.
#include <cmath>

#include "core/backend/cuda/device/mapping.h"
#include "core/backend/cuda/device/masks.h"
#include "core/backend/cuda/kernel/draws.h"

namespace ty::cuda {

using kernel::Nothing;

void CudaBackend::dropout(const View& y, const View& x, const DropoutMask& mask) {
  const std::int64_t width = y.numel() / std::max<std::int64_t>(y.rank() > 0 ? y.shape[0] : 1, 1);
  kernel::dispatch(y.dtype, "dropout", [&](auto t) {
    using T = decltype(t);
    using C = kernel::Accumulator<T>;
    const kernel::Dropout<C> f{mask_of<C>(mask), width};
    map_in_order<kernel::Dropout<C>, T, T>("dropout", f, y, &x, width);
  });
}

void CudaBackend::random_normal(const View& y, const RandomStream& stream, std::int64_t first,
                                std::int64_t row_step, double std) {
  const kernel::Normal f{stream.key(), first, row_step, y.shape[1], std};
  kernel::dispatch(y.dtype, "random_normal", [&](auto t) {
    map_in_order<kernel::Normal, decltype(t), Nothing>("random_normal", f, y, nullptr, 1);
  });
}

void CudaBackend::round_stochastic(const View& y, const View& x, const RandomStream& stream,
                                   std::int64_t first) {
  kernel::dispatch(y.dtype, "round_stochastic", [&](auto t) {
    using T = decltype(t);
    if constexpr (sizeof(T) == 2) {
      const kernel::RoundStochastic<T> f{stream.key(), first};
      map_in_order<kernel::RoundStochastic<T>, T, float>("round_stochastic", f, y, &x, y.numel());
    } else {
      throw_not_floating(y.dtype, "round_stochastic to 16 bits");
    }
  });
}

}  // namespace ty::cuda
