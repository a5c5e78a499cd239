#include "tests/support/fake_gpu/cuda_on_fake.h"

namespace ty::test {

// A task that does nothing stands for all that follows: they are in one stream.
void CudaOnFake::put(const char* name, std::function<void()> run,
                     const std::vector<FakeAccess>& accesses) {
  FakeGpu::get().put(*stream_, {.name = name}, accesses);
  const NamedKernels named(name);
  run();
}

void CudaOnFake::clip_factor(const View& factor, const View& squares, const View& loss,
                             double limit, double scale) {
  put_views("clip_factor", [&] { cuda_.clip_factor(factor, squares, loss, limit, scale); },
            {factor}, {squares, loss});
}

}  // namespace ty::test
