// A device's tensors over ranks that reach host memory alone: operands are read to the host, sent
// there, and written back when the call is waited for. Slow, exact, and the only way for several
// ranks that share one card.
#pragma once

#include "parallel/comm/communicator.h"
#include "parallel/comm/memory.h"

namespace ty {

class StagedCommunicator final : public Communicator {
 public:
  // The ranks of `control`, whose calls are this one's alone from now on.
  StagedCommunicator(Group control, const CommMemory& memory,
                     std::shared_ptr<double> patience = std::make_shared<double>(kDefaultPatience))
      : Communicator(control.rank(), control.size()),
        control_(std::move(control)),
        memory_(memory),
        patience_(std::move(patience)) {}
  void set_patience(double seconds) override {
    *patience_ = seconds;
    control_.set_patience(seconds);
  }
  std::shared_ptr<Watch> watch() override { return control_.watch(); }

 private:
  Work do_all_reduce(const View& x, ReduceOp op) override;
  Work do_all_gather(const View& all, const View& own) override;
  Work do_reduce_scatter(const View& own, const View& all, ReduceOp op) override;
  Work do_broadcast(const View& x, int root) override;
  Work do_send(const View& x, int peer, int tag) override;
  Work do_receive(const View& x, int peer, int tag) override;
  void do_barrier() override { control_.barrier(); }
  std::shared_ptr<Communicator> do_split(int color, int key) override;

  Group control_;
  CommMemory memory_;
  std::shared_ptr<double> patience_;  // seconds; of this rank, in all groups split from one
};

}  // namespace ty
