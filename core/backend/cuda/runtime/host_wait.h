// HostWait: the one place where the host waits for the device.
//
// With an observer it asks again and again instead of blocking: what it waits for may never come,
// if other ranks are part of it.
#pragma once

#include "core/backend/cuda/runtime/graph_stream.h"
#include "core/backend/device_queue.h"

namespace ty::cuda::runtime {

class HostWait {
 public:
  // For what the stream does.
  explicit HostWait(GraphStream& stream) : stream_(stream) {}
  // Null: none.
  void observe(WaitObserver* observer) { observer_ = observer; }
  // Throws what the observer throws.
  void for_event(Event event) const;
  // How often the host has waited for what had not happened yet.
  std::int64_t count() const { return count_; }

 private:
  GraphStream& stream_;
  WaitObserver* observer_ = nullptr;
  mutable std::int64_t count_ = 0;
};

}  // namespace ty::cuda::runtime
