#include "tests/support/fake_gpu/cuda_ranks.h"

#include "tests/support/cuda/device_memory.h"
#include "tests/support/fake_gpu/fake_ranks.h"

namespace ty::test {

namespace {

struct Guarded {
  Guarded() { cuda::emulated::guard_memory(true); }
  ~Guarded() { cuda::emulated::guard_memory(false); }
};

}  // namespace

void run_cuda_ranks(FakeGpu& gpu, const std::function<void(const CudaRank&)>& body,
                    const NcclOptions& options, bool graphs) {
  gpu.hold_in_tasks([] { return std::make_shared<cuda::emulated::Access>(); });
  const Guarded guarded;
  run_ranks_on(
      gpu.ranks(),
      [=] {
        return std::make_unique<CudaOnFake>(
            cuda::DeviceOptions{.device = FakeGpu::rank(), .graphs = graphs});
      },
      [&](const Group& host, const Group& device, Backend& backend) {
        body({host, device, dynamic_cast<CudaOnFake&>(backend)});
      },
      options);
}

}  // namespace ty::test
