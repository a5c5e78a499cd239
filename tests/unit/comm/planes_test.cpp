// Two planes: tensors travel in the memory of their backend, numbers and texts in the host's.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "parallel/comm/phantom/phantom.h"
#include "parallel/comm/threads/threads.h"
#include "parallel/data/gradient_reducer.h"
#include "tests/support/counting_backend.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

Tensor on_device(Backend& backend, const std::vector<double>& values) {
  return Tensor::from<double>(backend, {static_cast<std::int64_t>(values.size())}, values);
}

// Every call of a group on a device, rank r bringing r + 1: the right numbers come, and the backend
// has carried them.
void check_device_plane(const Group& world) {
  CountingBackend backend(/*has_host_memory=*/false);
  const Group group = world.on(backend);
  ASSERT_EQ(group.size(), world.size());
  ASSERT_EQ(group.rank(), world.rank());
  const int n = world.size();
  const double own = world.rank() + 1.0, sum = n * (n + 1) / 2.0;
  std::vector<double> everybody;
  for (int r = 0; r < n; ++r) everybody.push_back(r + 1.0);
  const auto expect = [&](const std::vector<double>& wanted, const Tensor& x, auto call) {
    const std::int64_t before = backend.copies;
    call(x.view());
    if (n > 1) {
      EXPECT_GT(backend.copies, before);
    }
    EXPECT_EQ(x.values<double>(), wanted);
  };
  expect({sum}, on_device(backend, {own}),
         [&](const View& x) { group.all_reduce(x, ReduceOp::sum).wait(); });
  const Tensor mine = on_device(backend, {own});
  expect(everybody, on_device(backend, std::vector<double>(static_cast<std::size_t>(n))),
         [&](const View& all) { group.all_gather(all, mine.view()).wait(); });
  const Tensor all = on_device(backend, everybody);
  expect({own * n}, on_device(backend, {0}),
         [&](const View& x) { group.reduce_scatter(x, all.view(), ReduceOp::sum).wait(); });
  expect({static_cast<double>(n)}, on_device(backend, {own}),
         [&](const View& x) { group.broadcast(x, n - 1).wait(); });
  expect({(world.rank() + n - 1) % n + 1.0}, on_device(backend, {0}), [&](const View& x) {
    Work sent = group.send(mine.view(), (world.rank() + 1) % n, 0);
    group.receive(x, (world.rank() + n - 1) % n, 0).wait();
    sent.wait();
  });
  // Alone, a copy at home; and a part of the group is on the device too.
  const std::int64_t before = backend.copies;
  const Tensor copied = on_device(backend, {0});
  group.split(world.rank(), 0).all_gather(copied.view(), mine.view()).wait();
  EXPECT_GT(backend.copies, before + 1);
  EXPECT_EQ(copied.values<double>(), std::vector<double>{own});
}

TEST(DevicePlane, CarriesTensorsWithTheBackendsOwnCopies) {
  check_device_plane(Group());
  for (const int ranks : {1, 2, 3}) run_ranks(ranks, check_device_plane);
}

TEST(DevicePlane, OfHostMemoryIsTheGroupItself) {
  CountingBackend backend;
  const Group group, on_host = group.on(backend);
  std::vector<double> x(1), y(1);
  on_host
      .all_gather(contiguous_view(x.data(), DType::f64, {1}),
                  contiguous_view(y.data(), DType::f64, {1}))
      .wait();
  EXPECT_EQ(group.counts(CommCall::all_gather).calls, 1);
  EXPECT_EQ(backend.copies, 0);
}

TEST(DevicePlane, OfAPhantomHasItsRankAndCountsApart) {
  CountingBackend backend(/*has_host_memory=*/false);
  const Group control(std::make_shared<PhantomCommunicator>(3, 4));
  const Group device = control.on(backend);
  EXPECT_EQ(device.rank(), 3);
  EXPECT_EQ(device.size(), 4);
  device.all_reduce(on_device(backend, {1}).view(), ReduceOp::sum).wait();
  EXPECT_EQ(device.counts(CommCall::all_reduce).calls, 1);
  EXPECT_EQ(control.counts(CommCall::all_reduce).calls, 0);
}

// Gradients and weights go over the device plane alone, and what the step counts over the other.
void check_reducer(const Group& world, ReducerOptions options) {
  CountingBackend backend(/*has_host_memory=*/false);
  ParameterStore store;
  store.declare("w", {40}, Init::constant(1.0));
  FlatParameters flat(store, plan_flat_layout(store, 1, world.size()), backend, {});
  flat.initialise(1);
  GradientReducer reducer(flat, {.data = world}, options);
  reducer.begin_step(1);
  Leaf& leaf = leaf_of(store.find("w")->value);
  backend.fill(leaf.grad.view(), world.rank() + 1.0);
  leaf.has_grad = true;
  reducer.micro_batch_done(0);
  reducer.finish();
  reducer.share_weights();
  EXPECT_EQ(world.sent_bytes(), 0);
  if (!options.shard_optimizer) {
    EXPECT_EQ(doubles(leaf.grad), std::vector<double>(40, 3.0));
  }
  EXPECT_NEAR(reducer.gradient_norm(), std::sqrt(40 * 9.0), 1e-9);

  const std::int64_t sent = world.sent_bytes(), copies = backend.copies;
  EXPECT_EQ(reducer.sum_over_ranks(world.rank() + 1.0), 3.0);
  EXPECT_EQ(world.sent_bytes(), sent + 8);
  EXPECT_EQ(backend.copies, copies);
  reducer.begin_step(2);
  reducer.add_loss(0, on_device(backend, {1.0}));
  reducer.add_loss(1, on_device(backend, {world.rank() + 1.0}));
  EXPECT_EQ(reducer.sum_losses(), 5.0);
  EXPECT_EQ(world.sent_bytes(), sent + 8);
}

TEST(Reducer, SendsTensorsOverTheDevicePlaneAndNumbersOverTheControlPlane) {
  for (const bool shard : {false, true}) {
    for (const Reduction reduction : {Reduction::fast, Reduction::canonical}) {
      run_ranks(2, [&](const Group& world) {
        check_reducer(world, {.shard_optimizer = shard, .reduction = reduction});
      });
    }
  }
}

}  // namespace
}  // namespace ty::test
