// NcclComm: a communicator of NCCL's that is freed with this object, whatever happens while it is
// being made.
#pragma once

#include <memory>
#include <utility>

#include "parallel/comm/nccl/gpu_session.h"

namespace ty {

class NcclComm {
 public:
  explicit NcclComm(std::shared_ptr<GpuSession> session) : session_(std::move(session)) {}
  NcclComm(const NcclComm&) = delete;
  NcclComm& operator=(const NcclComm&) = delete;
  ~NcclComm() {
    if (comm_ != nullptr) session_->dismiss(comm_);
  }

  // Where NCCL writes it, perhaps later than its call returns.
  ncclComm_t* slot() { return &comm_; }
  ncclComm_t get() const { return comm_; }
  // Looks at it for errors from now on, and waits until NCCL has made it.
  void settle(const PendingCall& what) {
    session_->enrol(comm_);
    session_->settle(comm_, what);
  }

 private:
  std::shared_ptr<GpuSession> session_;
  ncclComm_t comm_ = nullptr;
};

}  // namespace ty
