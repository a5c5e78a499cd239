// A group of one rank: every reduction is the identity, every copy stays at home. What a serial run
// is made of.
#pragma once

#include <memory>

#include "parallel/comm/communicator.h"
#include "parallel/comm/mailbox.h"

namespace ty {

class SelfCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  Work all_reduce(const View& x, ReduceOp op) override;
  Work all_gather(const View& all, const View& own) override;
  Work reduce_scatter(const View& own, const View& all, ReduceOp op) override;
  Work broadcast(const View& x, int root) override;
  Work send(const View& x, int peer, int tag) override;
  Work receive(const View& x, int peer, int tag) override;
  void barrier() override {}
  std::shared_ptr<Communicator> split(int color, int key) override;

 private:
  std::shared_ptr<Mailbox> mail_ = std::make_shared<Mailbox>();  // receives under way hold on to it
};

}  // namespace ty
