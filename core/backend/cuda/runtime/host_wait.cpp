#include "core/backend/cuda/runtime/host_wait.h"

#include <sched.h>

namespace ty::cuda::runtime {

void HostWait::for_event(Event event) const {
  stream_.submit_for(event);
  if (has_happened(event)) return;
  ++count_;
  if (observer_ == nullptr) return wait_on_host(event);
  observer_->begin();
  while (!has_happened(event)) {
    observer_->look();
    sched_yield();
  }
}

}  // namespace ty::cuda::runtime
