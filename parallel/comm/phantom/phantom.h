// One rank of a nonexistent world: calls are checked and counted, return at once and transfer
// nothing. A plan runs the program of a rank on it.
#pragma once

#include "core/base/error.h"
#include "parallel/comm/communicator.h"

namespace ty {

class PhantomCommunicator final : public Communicator {
 public:
  PhantomCommunicator(int rank, int size) : Communicator(rank, size) {}

 private:
  Work do_all_reduce(const View&, ReduceOp) override { return {}; }
  Work do_all_gather(const View&, const View&) override { return {}; }
  Work do_reduce_scatter(const View&, const View&, ReduceOp) override { return {}; }
  Work do_broadcast(const View&, int) override { return {}; }
  Work do_send(const View&, int, int) override { return {}; }
  Work do_receive(const View&, int, int) override { return {}; }
  void do_barrier() override {}
  std::shared_ptr<Communicator> do_split(int, int) override {
    throw InternalError("a phantom rank has nobody to ask for colors; use subgroup()");
  }
  std::shared_ptr<Communicator> do_subgroup(std::span<const int> members, int own) override {
    return std::make_shared<PhantomCommunicator>(own, static_cast<int>(members.size()));
  }
  std::shared_ptr<Communicator> do_on(Backend&) override {
    return std::make_shared<PhantomCommunicator>(rank(), size());
  }
};

}  // namespace ty
