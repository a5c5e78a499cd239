// Tensors of a device over ranks that reach the host's memory alone.
#include "parallel/comm/staged/staged.h"

#include <gtest/gtest.h>

#include "parallel/comm/threads/threads.h"
#include "parallel/mesh/mesh.h"
#include "tests/support/counting_backend.h"
#include "tests/support/tensors.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {
namespace {

Group staged(const Group& host, Backend& backend) {
  return Group(
      std::make_shared<StagedCommunicator>(host.split(0, host.rank()), CommMemory(backend)));
}

class Staged : public testing::TestWithParam<std::tuple<Check, int>> {};
TEST_P(Staged, Does) {
  const auto& [check, ranks] = GetParam();
  run_ranks(
      ranks,
      [&](const Group& host) {
        CountingBackend backend(/*has_host_memory=*/false);
        check.run(staged(host, backend));
      },
      60.0);
}
INSTANTIATE_TEST_SUITE_P(Every, Staged,
                         testing::Combine(testing::ValuesIn(communicator_checks()),
                                          testing::Values(1, 3)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "On" +
                                  std::to_string(std::get<1>(test.param));
                         });

// on() of the mesh's groups is their part of the device's world, on every axis.
TEST(CarriedMesh, DividesTheDevicesWorldAsItsOwn) {
  run_ranks(4, [](const Group& world) {
    CountingBackend backend(/*has_host_memory=*/false);
    const Mesh mesh(world, {.pipeline = 2, .data = 1, .tensor = 2});
    const Group device = staged(world, backend);
    mesh.carry_over(backend, device);
    for (const Group* group :
         {&mesh.tensor(), &mesh.data(), &mesh.pipeline(), &mesh.stage(), &mesh.ends()}) {
      const Group plane = group->on(backend);
      EXPECT_EQ(plane.rank(), group->rank());
      ASSERT_EQ(plane.size(), group->size());
      const double expected = group->all_reduce(world.rank() + 1.0, ReduceOp::sum);
      const Tensor x = Tensor::from<double>(backend, {1}, std::vector<double>{world.rank() + 1.0});
      const std::int64_t before = backend.copies;
      plane.all_reduce(x.view(), ReduceOp::sum).wait();
      if (plane.size() > 1) {
        EXPECT_GT(backend.copies, before);
      }
      EXPECT_EQ(x.values<double>(), std::vector<double>{expected});
      EXPECT_EQ(group->on(backend).counts(CommCall::all_reduce).calls,
                plane.counts(CommCall::all_reduce).calls);
    }
  });
}

}  // namespace
}  // namespace ty::test
