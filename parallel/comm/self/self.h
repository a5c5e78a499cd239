// A group of one rank: every reduction is the identity and every transfer is local. Serial runs use
// it.
#pragma once

#include <memory>

#include "parallel/comm/communicator.h"
#include "parallel/comm/mailbox.h"

namespace ty {

class SelfCommunicator final : public Communicator {
 public:
  explicit SelfCommunicator(CommMemory memory = {}) : Communicator(0, 1), memory_(memory) {}

 private:
  Work do_all_reduce(const View&, ReduceOp) override { return {}; }
  Work do_all_gather(const View& all, const View& own) override;
  Work do_reduce_scatter(const View& own, const View& all, ReduceOp op) override;
  Work do_broadcast(const View&, int) override { return {}; }
  Work do_send(const View& x, int peer, int tag) override;
  Work do_receive(const View& x, int peer, int tag) override;
  void do_barrier() override {}
  std::shared_ptr<Communicator> do_split(int color, int key) override;
  std::shared_ptr<Communicator> do_on(Backend& backend) override;

  CommMemory memory_;
  std::shared_ptr<Mailbox> mail_ = std::make_shared<Mailbox>();  // shared with pending receives
};

}  // namespace ty
