// What a communicator does before a transport has its turn: arguments are checked, calls counted.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "parallel/comm/phantom/phantom.h"
#include "tests/support/messages.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {

namespace {

// Every call whose arguments are bad, by what a user is told; the group's size is n.
struct BadCall {
  std::function<Work(const Group&)> call;
  std::string message;
};

std::vector<BadCall> bad_calls(std::vector<double>& x, std::vector<float>& other_type, int n) {
  const View matrix = contiguous_view(x.data(), DType::f64, {2, 3});
  const View whole = flat(x), part = matrix[0], slanted = matrix.transpose(0, 1);
  const std::string gap = ": wants a contiguous view, got shape [3, 2] with strides [1, 3]";
  const std::string parts =
      fmt::format(": {} elements of fp64 are not {} times 3 of fp64", x.size(), n);
  const std::string nobody = fmt::format(" is not in a group of {}", n);
  return {
      {[=](const Group& g) { return g.all_reduce(slanted, ReduceOp::sum); }, "all_reduce" + gap},
      {[=](const Group& g) { return g.all_gather(whole, slanted); }, "all_gather" + gap},
      {[=](const Group& g) { return g.all_gather(whole, part); }, "all_gather" + parts},
      {[=, &other_type](const Group& g) { return g.all_gather(whole, flat(other_type)); },
       fmt::format("all_gather: {} elements of fp64 are not {} times 6 of fp32", x.size(), n)},
      {[=](const Group& g) { return g.reduce_scatter(part, whole, ReduceOp::sum); },
       "reduce_scatter" + parts},
      {[=](const Group& g) { return g.broadcast(slanted, 0); }, "broadcast" + gap},
      {[=](const Group& g) { return g.broadcast(whole, n); },
       fmt::format("broadcast: rank {}{}", n, nobody)},
      {[=](const Group& g) { return g.broadcast(whole, -1); }, "broadcast: rank -1" + nobody},
      {[=](const Group& g) { return g.send(slanted, 0, 0); }, "send" + gap},
      {[=](const Group& g) { return g.send(whole, n, 0); },
       fmt::format("send: rank {}{}", n, nobody)},
      {[=](const Group& g) { return g.receive(whole, -1, 0); }, "receive: rank -1" + nobody},
      {[=](const Group& g) { return g.receive(whole, 0, -1); },
       "receive: tag -1 is not in [0, 16384)"},
  };
}

}  // namespace

// On a phantom too; and what was refused is not counted.
void what_does_not_fit_is_refused_before_anything_is_sent(const Group& world) {
  std::vector<double> x(static_cast<std::size_t>(6 * world.size()));
  std::vector<float> other_type(6);
  const Group own = world.split(0, world.rank());
  const Group phantom(std::make_shared<PhantomCommunicator>(world.rank(), world.size()));
  for (const Group& group : {own, phantom}) {
    for (const BadCall& bad : bad_calls(x, other_type, world.size())) {
      EXPECT_EQ(message_of<CommError>([&] { (void)bad.call(group); }), bad.message);
    }
    const int stranger[] = {world.size()};
    EXPECT_EQ(message_of<CommError>([&] { (void)group.subgroup(stranger); }),
              fmt::format("subgroup: rank {} is not in its own list of 1 ranks", world.rank()));
    for (const CommCall call : kCommCalls) EXPECT_EQ(group.counts(call), CommCounts());
  }
  world.barrier();
}

namespace {

// One of each call, and two all-reduces; with operands of 3 x 8 = 24 bytes a rank.
void call_everything(const Group& group) {
  const int n = group.size();
  std::vector<double> own(3), all(static_cast<std::size_t>(3 * n)), in(3);
  const int next = (group.rank() + 1) % n, previous = (group.rank() + n - 1) % n;
  group.all_reduce(flat(own), ReduceOp::sum).wait();
  group.all_reduce(flat(own), ReduceOp::max).wait();
  group.all_gather(flat(all), flat(own)).wait();
  group.reduce_scatter(flat(own), flat(all), ReduceOp::sum).wait();
  group.broadcast(flat(own), n - 1).wait();
  Work sent = group.send(flat(own), next, 0);
  group.receive(flat(in), previous, 0).wait();
  sent.wait();
  group.barrier();
}

}  // namespace

// The numbers by hand, and those of a rank that does not exist.
void calls_are_counted_as_on_a_phantom(const Group& world) {
  const std::int64_t n = world.size();
  const Group own = world.split(0, world.rank());
  const Group phantom(std::make_shared<PhantomCommunicator>(world.rank(), world.size()));
  for (const Group& group : {own, phantom}) {
    call_everything(group);
    EXPECT_EQ(group.counts(CommCall::all_reduce), (CommCounts{2, 2 * (2 * 24 * (n - 1) / n)}));
    EXPECT_EQ(group.counts(CommCall::all_gather), (CommCounts{1, 24 * (n - 1)}));
    EXPECT_EQ(group.counts(CommCall::reduce_scatter), (CommCounts{1, 24 * (n - 1)}));
    const bool is_root = n > 1 && world.rank() == n - 1;
    EXPECT_EQ(group.counts(CommCall::broadcast), (CommCounts{1, is_root ? 24 : 0}));
    EXPECT_EQ(group.counts(CommCall::send), (CommCounts{1, n > 1 ? 24 : 0}));
    EXPECT_EQ(group.counts(CommCall::receive), (CommCounts{1, 0}));
    EXPECT_EQ(group.counts(CommCall::barrier), (CommCounts{1, 0}));
    std::int64_t bytes = 0;
    for (const CommCall call : kCommCalls) bytes += group.counts(call).bytes;
    EXPECT_EQ(group.sent_bytes(), bytes);
    EXPECT_EQ(bytes > 0, n > 1);
  }
}

}  // namespace ty::test
