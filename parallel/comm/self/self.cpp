#include "parallel/comm/self/self.h"

#include <cstring>

#include "core/base/error.h"

namespace ty {

namespace {
void copy_bytes(const View& y, const View& x) {
  if (y.data != x.data && x.bytes() > 0) std::memcpy(y.data, x.data, x.bytes());
}
}  // namespace

Work SelfCommunicator::all_reduce(const View& x, ReduceOp) {
  check_whole("all_reduce", x);
  return {};
}

Work SelfCommunicator::all_gather(const View& all, const View& own) {
  check_parts("all_gather", all, own, 1);
  copy_bytes(all, own);
  return {};
}

Work SelfCommunicator::reduce_scatter(const View& own, const View& all, ReduceOp) {
  check_parts("reduce_scatter", all, own, 1);
  copy_bytes(own, all);
  return {};
}

Work SelfCommunicator::broadcast(const View& x, int) {
  check_whole("broadcast", x);
  return {};
}

Work SelfCommunicator::send(const View&, int peer, int) {
  throw CommError("send: a group of one rank has no rank {}", peer);
}

Work SelfCommunicator::receive(const View&, int peer, int) {
  throw CommError("receive: a group of one rank has no rank {}", peer);
}

std::shared_ptr<Communicator> SelfCommunicator::split(int, int) {
  return std::make_shared<SelfCommunicator>();
}

}  // namespace ty
