// DeviceQueue: what a transport has to know of a backend whose kernels run behind the host. Such a
// backend is one too; transports find it with dynamic_cast.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/view.h"

namespace ty {

// Is told when the host waits for the device, since that may never end: a kernel of a transport
// waits for other ranks.
class WaitObserver {
 public:
  virtual ~WaitObserver() = default;
  virtual void begin() = 0;
  // Called again and again; may throw, which ends the wait.
  virtual void look() = 0;
};

// A copy to the host that is under way.
class HostCopy {
 public:
  virtual ~HostCopy() = default;
  // Waits until it is there, and hands it out. Once. Throws what kernels before it have found.
  virtual void take(void* host) = 0;
};

class DeviceQueue {
 public:
  virtual ~DeviceQueue() = default;
  // The stream in which this backend's kernels run, in the device library's own type, with all that
  // was issued so far. Asked for again before each use.
  virtual void* stream() = 0;
  // Between these, work may be gathered and handed to the device in large parts, in the same order.
  // The first of its `kind` may have to be set up, and is not. end_graph() throws nothing; what it
  // could not hand over makes the next call throw.
  virtual void begin_graph(std::string_view kind) { static_cast<void>(kind); }
  virtual void end_graph() noexcept {}
  // The device's number in this process.
  virtual int device() const = 0;
  // Which card it is, anywhere: "HOST/0000:1b:00.0". Ranks that share one have equal names.
  virtual std::string card() const = 0;
  // One observer at most; null: none. It must outlive the waits that it observes.
  virtual void observe_waits(WaitObserver* observer) = 0;
  // Starts reading a contiguous view, after the kernels before it. The view's memory may be freed
  // at once, and the host goes on: for what is wanted later.
  virtual std::unique_ptr<HostCopy> start_read(const View& x) = 0;

  // factor = limit / (norm + 1e-6) where the norm is above the limit, else 1, and over `scale`:
  // what the gradients were multiplied by, as the root of `squares` was to the norm. A limit of 0
  // is none. NaN where `squares`, `loss` or factor itself was not finite, so it stays NaN from the
  // first such step on. All fp64 [1]. What optim's clip_factor() is to the host, for steps that the
  // host does not wait for.
  virtual void clip_factor(const View& factor, const View& squares, const View& loss, double limit,
                           double scale) = 0;
  // Steps of optimizers (Backend::adamw, sgd) that are issued from now on multiply gradients by
  // factor, fp64 [1], as well (but for Sgd::is_clipped), and change nothing where it is NaN. No
  // data: by nothing.
  virtual void scale_updates(const View& factor) = 0;
};

// While there is one, the queue may gather work; null: nothing.
class GraphScope {
 public:
  GraphScope(DeviceQueue* queue, std::string_view kind) : queue_(queue) {
    if (queue_ != nullptr) queue_->begin_graph(kind);
  }
  ~GraphScope() {
    if (queue_ != nullptr) queue_->end_graph();
  }
  GraphScope(const GraphScope&) = delete;
  GraphScope& operator=(const GraphScope&) = delete;

 private:
  DeviceQueue* queue_;
};

}  // namespace ty
