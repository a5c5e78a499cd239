#include "parallel/comm/nccl/own_messages.h"

#include "core/base/error.h"

namespace ty {

void OwnMessages::send(const View& x, int tag, const std::shared_ptr<GpuCall>& call) {
  Queue& queue = queues_[tag];
  queue.sends.push_back({x, call});
  match(queue);
}

void OwnMessages::receive(const View& x, int tag, const std::shared_ptr<GpuCall>& call) {
  Queue& queue = queues_[tag];
  queue.receives.push_back({x, call});
  match(queue);
}

void OwnMessages::match(Queue& queue) {
  if (queue.sends.empty() || queue.receives.empty()) return;
  const Posted out = queue.sends.front(), in = queue.receives.front();
  queue.sends.pop_front();
  queue.receives.pop_front();
  const cudaStream_t stream = session_->collectives();
  session_->make_wait(stream, session_->after_kernels());
  if (out.x.dtype == in.x.dtype && out.x.numel() == in.x.numel()) {
    TY_CUDA_CALL(session_->gpu(), copy, in.x.data, out.x.data, in.x.bytes(),
                 cudaMemcpyDeviceToDevice, stream);
  } else {
    in.call->failed =
        fmt::format("receive: a rank sent {} x {} to itself, and wants {} x {}", out.x.numel(),
                    name_of(out.x.dtype), in.x.numel(), name_of(in.x.dtype));
  }
  session_->launched(out.call, stream);
  session_->launched(in.call, stream);
}

}  // namespace ty
