// DeviceQueue: what a transport has to know of a backend whose kernels run behind the host. Such a
// backend is one too; transports find it with dynamic_cast.
#pragma once

#include <memory>
#include <string>

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
  // The stream in which this backend's kernels run, in the device library's own type.
  virtual void* stream() = 0;
  // The device's number in this process.
  virtual int device() const = 0;
  // Which card it is, anywhere: "HOST/0000:1b:00.0". Ranks that share one have equal names.
  virtual std::string card() const = 0;
  // One observer at most; null: none. It must outlive the waits that it observes.
  virtual void observe_waits(WaitObserver* observer) = 0;
  // Starts reading a contiguous view, after the kernels before it. The view's memory may be freed
  // at once, and the host goes on: for what is wanted later.
  virtual std::unique_ptr<HostCopy> start_read(const View& x) = 0;
};

}  // namespace ty
