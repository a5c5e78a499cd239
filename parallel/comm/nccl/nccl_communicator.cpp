#include "parallel/comm/nccl/nccl_communicator.h"

#include <algorithm>

#include "core/backend/backend.h"
#include "core/base/error.h"
#include "parallel/comm/nccl/nccl_types.h"
#include "parallel/comm/self/self.h"

namespace ty {

namespace {

class DeviceWork final : public Work::State {
 public:
  DeviceWork(std::shared_ptr<GpuSession> session, std::shared_ptr<GpuCall> call)
      : session_(std::move(session)), call_(std::move(call)) {}
  bool test() override { return session_->test(*call_); }
  void wait(double patience_seconds) override {
    call_->patience = patience_seconds;
    session_->wait(*call_);
  }

 private:
  std::shared_ptr<GpuSession> session_;
  std::shared_ptr<GpuCall> call_;
};

std::size_t count_of(const View& x) { return static_cast<std::size_t>(x.numel()); }

}  // namespace

NcclCommunicator::NcclCommunicator(std::unique_ptr<NcclComm> comm, Group control, Backend& backend,
                                   std::shared_ptr<GpuSession> session, bool check_calls)
    : Communicator(control.rank(), control.size()),
      comm_(std::move(comm)),
      control_(std::move(control)),
      backend_(backend),
      session_(std::move(session)),
      check_calls_(check_calls),
      staged_(control_, CommMemory(backend)),
      own_messages_(session_) {}

void NcclCommunicator::set_patience(double seconds) {
  session_->set_patience(seconds);
  staged_.set_patience(seconds);
}

PendingCall NcclCommunicator::what(const char* call, const View& x, int peer) const {
  return {call, x.numel(), x.dtype, size(), peer};
}

void NcclCommunicator::check_same(const PendingCall& what) const {
  const std::vector<std::string> calls = control_.all_gather_text(what.str());
  for (std::size_t r = 0; r < calls.size(); ++r) {
    if (calls[r] == what.str()) continue;
    throw CommError("ranks {} and {} call different things: {} and {}", rank(), r, what.str(),
                    calls[r]);
  }
}

template <typename Start>
Work NcclCommunicator::collective(const PendingCall& what, Start start) {
  if (check_calls_) check_same(what);
  if (what.count == 0) return {};  // for all ranks alike
  session_->make_room();
  const cudaStream_t stream = session_->collectives();
  session_->make_wait(stream, session_->after_kernels());
  check_nccl(session_->gpu(), start(stream), what.call);
  session_->settle(comm_->get(), what);
  const auto call = std::make_shared<GpuCall>(GpuCall{what, nullptr, session_->patience(), ""});
  session_->launched(call, stream);
  return {std::make_unique<DeviceWork>(session_, call), session_->patience()};
}

Work NcclCommunicator::do_all_reduce(const View& x, ReduceOp op) {
  if (!keeps_our_bits(op, x.dtype)) return staged_.all_reduce(x, op);
  return collective(what("all_reduce", x), [&](cudaStream_t stream) {
    return session_->gpu().nccl.all_reduce(x.data, x.data, count_of(x), nccl_type_of(x.dtype),
                                           nccl_op_of(op), comm_->get(), stream);
  });
}

Work NcclCommunicator::do_all_gather(const View& all, const View& own) {
  return collective(what("all_gather", own), [&](cudaStream_t stream) {
    return session_->gpu().nccl.all_gather(own.data, all.data, count_of(own),
                                           nccl_type_of(own.dtype), comm_->get(), stream);
  });
}

Work NcclCommunicator::do_reduce_scatter(const View& own, const View& all, ReduceOp op) {
  if (!keeps_our_bits(op, own.dtype)) return staged_.reduce_scatter(own, all, op);
  return collective(what("reduce_scatter", all), [&](cudaStream_t stream) {
    return session_->gpu().nccl.reduce_scatter(all.data, own.data, count_of(own),
                                               nccl_type_of(own.dtype), nccl_op_of(op),
                                               comm_->get(), stream);
  });
}

Work NcclCommunicator::do_broadcast(const View& x, int root) {
  return collective(what("broadcast", x), [&](cudaStream_t stream) {
    return session_->gpu().nccl.broadcast(x.data, x.data, count_of(x), nccl_type_of(x.dtype), root,
                                          comm_->get(), stream);
  });
}

Work NcclCommunicator::message(const char* call_name, const View& x, int peer, int tag,
                               MessageChannel::End end) {
  const bool sends = end == MessageChannel::End::sends;
  const auto call = std::make_shared<GpuCall>(
      GpuCall{what(call_name, x, peer), nullptr, session_->patience(), ""});
  session_->make_room();
  if (peer == rank()) {
    sends ? own_messages_.send(x, tag, call) : own_messages_.receive(x, tag, call);
  } else {
    if (x.numel() == 0) return {};  // at both ends
    auto& channel = channels_[{peer, tag, end}];
    if (channel == nullptr) {
      channel = std::make_unique<MessageChannel>(session_, control_, peer, tag, end);
    }
    channel->post(x, call);
  }
  return {std::make_unique<DeviceWork>(session_, call), session_->patience()};
}

Work NcclCommunicator::do_send(const View& x, int peer, int tag) {
  return message("send", x, peer, tag, MessageChannel::End::sends);
}

Work NcclCommunicator::do_receive(const View& x, int peer, int tag) {
  return message("receive", x, peer, tag, MessageChannel::End::receives);
}

// Of the hosts: kernels that were issued before may still run.
void NcclCommunicator::do_barrier() {
  session_->make_room();
  control_.barrier();
}

std::shared_ptr<Communicator> NcclCommunicator::do_split(int color, int key) {
  session_->make_room();
  Group control = control_.split(color, key);
  ncclConfig_t config = nccl_config();
  const int nccl_color = color < 0 ? NCCL_SPLIT_NOCOLOR : color;
  const PendingCall call = {"split", -1, DType::f32, size()};
  auto child = std::make_unique<NcclComm>(session_);
  TY_NCCL_CALL(session_->gpu(), split, comm_->get(), nccl_color, key, child->slot(), &config);
  session_->settle(comm_->get(), call);
  if (child->get() != nullptr) child->settle(call);
  if (control.size() == 1) {  // at no cost
    return std::make_shared<SelfCommunicator>(CommMemory(backend_));
  }
  return std::make_shared<NcclCommunicator>(std::move(child), std::move(control), backend_,
                                            session_, check_calls_);
}

}  // namespace ty
