#include "core/backend/cuda/device/cuda_backend.h"
#include "tests/support/cuda/emulator.h"
#include "tests/unit/backend/compare.h"

namespace ty::test {

// Two devices of different size, whose blocks and threads come in opposite orders.
std::unique_ptr<Backend> tested_backend(Workers workers) {
  const bool few = workers == Workers::few;
  cuda::emulated::set_order(few ? cuda::emulated::Order::ascending
                                : cuda::emulated::Order::descending);
  return std::make_unique<cuda::CudaBackend>(cuda::DeviceOptions{.multiprocessors = few ? 1 : 7});
}

}  // namespace ty::test
