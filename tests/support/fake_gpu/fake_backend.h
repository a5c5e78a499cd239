// A backend on a card of FakeGpu: the reference's arithmetic, put into a stream.
#pragma once

#include "core/backend/device_queue.h"
#include "core/backend/reference/reference_backend.h"
#include "tests/support/fake_gpu/declaring_backend.h"

namespace ty::test {

class FakeBackend final : public DeclaringBackend, public DeviceQueue {
 public:
  // Of the calling thread's rank.
  explicit FakeBackend(std::string card = "") : card_(std::move(card)) {}
  ~FakeBackend() override;

  std::string_view name() const override { return "fake"; }
  Allocator& memory() override { return math_.memory(); }
  void synchronize() override;
  // Both wait.
  void read(void* host, const View& x) override;
  void write(const View& y, const void* host) override;

  void* stream() override { return stream_; }
  int device() const override { return FakeGpu::rank(); }
  std::string card() const override {
    return card_.empty() ? "fake/" + std::to_string(FakeGpu::rank()) : card_;
  }
  void observe_waits(WaitObserver* observer) override { observer_ = observer; }
  std::unique_ptr<HostCopy> start_read(const View& x) override;
  void clip_factor(const View& factor, const View& squares, const View& loss, double limit,
                   double scale) override;
  void scale_updates(const View& factor) override { factor_ = factor; }
  void adamw(const View& w, const View& m, const View& v, const View& low, const View& gradient,
             const AdamW& options) override;
  void sgd(const View& w, const View& v, const View& low, const View& gradient,
           const Sgd& options) override;

  // How often the host has waited for the card.
  int synchronizations() const { return synchronizations_; }

 private:
  class LateCopy;
  Backend& math() override { return math_; }
  void put(const char* name, std::function<void()> run,
           const std::vector<FakeAccess>& accesses) override;
  void wait_for(const FakeEvent& event);

  ReferenceBackend math_;
  std::string card_;
  FakeStream* stream_ = FakeGpu::get().new_stream();
  WaitObserver* observer_ = nullptr;
  View factor_;  // of updates; no data: none
  int synchronizations_ = 0;
};

}  // namespace ty::test
