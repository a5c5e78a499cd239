// One group over NCCL; see gpu_session.h for order and deadlines.
#pragma once

#include <map>
#include <memory>
#include <tuple>

#include "parallel/comm/communicator.h"
#include "parallel/comm/nccl/message_channel.h"
#include "parallel/comm/nccl/nccl_comm.h"
#include "parallel/comm/nccl/own_messages.h"
#include "parallel/comm/staged/staged.h"

namespace ty {

class NcclCommunicator final : public Communicator {
 public:
  // Takes over `comm`, of the ranks of `control` in their order.
  NcclCommunicator(std::unique_ptr<NcclComm> comm, Group control, Backend& backend,
                   std::shared_ptr<GpuSession> session, bool check_calls);

  void set_patience(double seconds) override;
  std::shared_ptr<Watch> watch() override { return control_.watch(); }

 private:
  Work do_all_reduce(const View& x, ReduceOp op) override;
  Work do_all_gather(const View& all, const View& own) override;
  Work do_reduce_scatter(const View& own, const View& all, ReduceOp op) override;
  Work do_broadcast(const View& x, int root) override;
  Work do_send(const View& x, int peer, int tag) override;
  Work do_receive(const View& x, int peer, int tag) override;
  void do_barrier() override;
  std::shared_ptr<Communicator> do_split(int color, int key) override;

  PendingCall what(const char* call, const View& x, int peer = -1) const;
  // Issues a collective: start(stream) is NCCL's call.
  template <typename Start>
  Work collective(const PendingCall& what, Start start);
  Work message(const char* call, const View& x, int peer, int tag, MessageChannel::End end);
  void check_same(const PendingCall& what) const;

  std::unique_ptr<NcclComm> comm_;
  Group control_;  // host memory; this object's alone
  Backend& backend_;
  std::shared_ptr<GpuSession> session_;
  bool check_calls_;
  StagedCommunicator staged_;
  OwnMessages own_messages_;
  using ChannelKey = std::tuple<int, int, MessageChannel::End>;  // peer, tag
  std::map<ChannelKey, std::unique_ptr<MessageChannel>> channels_;
};

}  // namespace ty
