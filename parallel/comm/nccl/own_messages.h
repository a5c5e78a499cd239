// What a rank sends to itself: the n-th receive of a tag gets its n-th send, by a copy on the
// device.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "core/base/view.h"
#include "parallel/comm/nccl/gpu_session.h"

namespace ty {

class OwnMessages {
 public:
  explicit OwnMessages(std::shared_ptr<GpuSession> session) : session_(std::move(session)) {}

  void send(const View& x, int tag, const std::shared_ptr<GpuCall>& call);
  void receive(const View& x, int tag, const std::shared_ptr<GpuCall>& call);

 private:
  struct Posted {
    View x;
    std::shared_ptr<GpuCall> call;
  };
  struct Queue {
    std::deque<Posted> sends, receives;
  };
  void match(Queue& queue);

  std::shared_ptr<GpuSession> session_;
  std::map<int, Queue> queues_;  // by tag
};

}  // namespace ty
