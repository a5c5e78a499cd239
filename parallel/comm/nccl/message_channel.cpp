#include "parallel/comm/nccl/message_channel.h"

#include <cstring>

#include "parallel/comm/nccl/nccl_types.h"

namespace ty {

MessageChannel::MessageChannel(std::shared_ptr<GpuSession> session, const Group& control, int peer,
                               int tag, End end)
    : session_(std::move(session)), end_(end), stream_(session_->new_stream()) {
  const View words = contiguous_view(id_.data(), DType::i32, {kIdWords});
  if (end_ == End::receives) {
    ncclUniqueId id;
    TY_NCCL_CALL(session_->gpu(), get_unique_id, &id);
    std::memcpy(id_.data(), id.internal, sizeof(id.internal));
    id_transfer_ = control.send(words, peer, tag);
  } else {
    id_transfer_ = control.receive(words, peer, tag);
  }
  session_->add(this);
}

void MessageChannel::join() {
  ncclUniqueId id;
  std::memcpy(id.internal, id_.data(), sizeof(id.internal));
  ncclConfig_t config = nccl_config();
  config.maxCTAs = 1;  // a posted receive occupies them until its message comes
  constexpr int kEnds = 2;
  const int rank = end_ == End::sends ? 0 : 1;
  comm_ = std::make_unique<NcclComm>(session_);
  TY_NCCL_CALL(session_->gpu(), init_rank, comm_->slot(), kEnds, id, rank, &config);
  session_->enrol(comm_->get());
}

bool MessageChannel::is_open() {
  if (is_open_) return true;
  // The receiver knows the id before it has arrived.
  const bool has_id = id_transfer_.test() || end_ == End::receives;
  if (comm_ == nullptr && has_id) join();
  if (comm_ == nullptr) return false;
  ncclResult_t state = ncclInProgress;
  TY_NCCL_CALL(session_->gpu(), get_async_error, comm_->get(), &state);
  check_nccl(session_->gpu(), state, "NCCL init_rank");
  return is_open_ = state == ncclSuccess;
}

void MessageChannel::launch(const Posted& message) {
  const View& x = message.x;
  const int peer = end_ == End::sends ? 1 : 0;
  const auto count = static_cast<std::size_t>(x.numel());
  session_->make_wait(stream_, message.ready);
  if (end_ == End::sends) {
    TY_NCCL_CALL(session_->gpu(), send, x.data, count, nccl_type_of(x.dtype), peer, comm_->get(),
                 stream_);
  } else {
    TY_NCCL_CALL(session_->gpu(), receive, x.data, count, nccl_type_of(x.dtype), peer, comm_->get(),
                 stream_);
  }
  session_->settle(comm_->get(), message.call->what);
  session_->launched(message.call, stream_);
}

void MessageChannel::post(const View& x, const std::shared_ptr<GpuCall>& call) {
  posted_.push_back({x, call, session_->after_kernels()});
  progress();
}

void MessageChannel::progress() {
  while (!posted_.empty() && is_open()) {
    const Posted message = std::move(posted_.front());
    posted_.pop_front();
    launch(message);
  }
}

}  // namespace ty
