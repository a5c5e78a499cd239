// One rank of a world that does not exist: calls return at once and move nothing. A plan runs a
// rank's program on it.
#pragma once

#include <algorithm>

#include "core/base/error.h"
#include "parallel/comm/communicator.h"

namespace ty {

class PhantomCommunicator final : public Communicator {
 public:
  PhantomCommunicator(int rank, int size) : rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  Work all_reduce(const View&, ReduceOp) override { return {}; }
  Work all_gather(const View&, const View&) override { return {}; }
  Work reduce_scatter(const View&, const View&, ReduceOp) override { return {}; }
  Work broadcast(const View&, int) override { return {}; }
  Work send(const View&, int, int) override { return {}; }
  Work receive(const View&, int, int) override { return {}; }
  void barrier() override {}
  std::shared_ptr<Communicator> split(int, int) override {
    throw InternalError("a phantom rank has nobody to ask for colors; use subgroup()");
  }
  std::shared_ptr<Communicator> subgroup(std::span<const int> members) override {
    const auto own = std::find(members.begin(), members.end(), rank_);
    TY_CHECK(own != members.end(), "rank {} is not in its own list", rank_);
    return std::make_shared<PhantomCommunicator>(static_cast<int>(own - members.begin()),
                                                 static_cast<int>(members.size()));
  }

 private:
  int rank_, size_;
};

}  // namespace ty
