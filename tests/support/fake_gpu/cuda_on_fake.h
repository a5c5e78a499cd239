// The CUDA backend itself, its host code over fakes of the runtime and of cuBLASLt on a FakeGpu.
// What is issued runs as late as can be; device memory is out of the host's reach meanwhile.
#pragma once

#include <string>
#include <utility>

#include "core/backend/cuda/device/cuda_backend.h"
#include "tests/support/fake_gpu/declaring_backend.h"

namespace ty::test {

// While there is one, kernels that the thread issues are called so in faults.
class NamedKernels {
 public:
  explicit NamedKernels(const char* name);
  ~NamedKernels();
  NamedKernels(const NamedKernels&) = delete;
  NamedKernels& operator=(const NamedKernels&) = delete;

 private:
  std::string before_;
};

// CudaBackend, with what each of its kernels reads and writes told to the fake.
class CudaOnFake final : public DeclaringBackend, public DeviceQueue {
 public:
  // On the card of the calling thread's rank.
  explicit CudaOnFake(const cuda::DeviceOptions& options)
      : cuda_(options), stream_(static_cast<FakeStream*>(cuda_.stream())) {}

  std::string_view name() const override { return "cuda"; }
  Allocator& memory() override { return cuda_.memory(); }
  void synchronize() override { cuda_.synchronize(); }
  void* stream() override { return cuda_.stream(); }
  void begin_graph(std::string_view kind) override { cuda_.begin_graph(kind); }
  void end_graph() noexcept override { cuda_.end_graph(); }
  int device() const override { return cuda_.device(); }
  std::string card() const override { return cuda_.card(); }
  void observe_waits(WaitObserver* observer) override { cuda_.observe_waits(observer); }
  std::unique_ptr<HostCopy> start_read(const View& x) override { return cuda_.start_read(x); }
  void clip_factor(const View& factor, const View& squares, const View& loss, double limit,
                   double scale) override;
  void scale_updates(const View& factor) override { cuda_.scale_updates(factor); }

  std::int64_t host_waits() const { return cuda_.host_waits(); }
  const cuda::runtime::GraphStream& work() const { return cuda_.work(); }

 private:
  Backend& math() override { return cuda_; }
  void put(const char* name, std::function<void()> run,
           const std::vector<FakeAccess>& accesses) override;

  cuda::CudaBackend cuda_;
  FakeStream* stream_;
};

}  // namespace ty::test
