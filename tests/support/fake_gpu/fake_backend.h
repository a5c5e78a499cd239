// A backend on a card of FakeGpu: the reference's arithmetic, put into a stream. Kernels that are
// not listed here wait for the stream first: right, but nothing is found out about them.
#pragma once

#include "core/backend/device_queue.h"
#include "core/backend/reference/reference_backend.h"
#include "tests/support/fake_gpu/fake_gpu.h"

namespace ty::test {

class FakeBackend final : public Backend, public DeviceQueue {
 public:
  // Of the calling thread's rank.
  explicit FakeBackend(std::string card = "") : card_(std::move(card)) {}
  ~FakeBackend() override;

  std::string_view name() const override { return "fake"; }
  Allocator& memory() override { return math_.memory(); }
  bool has_host_memory() const override { return false; }
  void synchronize() override;

#include "core/backend/overrides.inc"

  void* stream() override { return stream_; }
  int device() const override { return FakeGpu::rank(); }
  std::string card() const override {
    return card_.empty() ? "fake/" + std::to_string(FakeGpu::rank()) : card_;
  }
  void observe_waits(WaitObserver* observer) override { observer_ = observer; }

  // How often the host has waited for the card.
  int synchronizations() const { return synchronizations_; }

 private:
  // Kernels that write `out` and read `in`; views without data are none.
  void put(const char* name, std::function<void()> run, std::initializer_list<View> out,
           std::initializer_list<View> in);

  ReferenceBackend math_;
  std::string card_;
  FakeStream* stream_ = FakeGpu::get().new_stream();
  WaitObserver* observer_ = nullptr;
  int synchronizations_ = 0;
};

}  // namespace ty::test
