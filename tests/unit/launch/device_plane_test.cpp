// By what a device's tensors travel, for each choice of parallel.transport.
#include "launch/run/device_plane.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/counting_backend.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

// A device that NCCL does not know: its tensors go over the host.
TEST(DevicePlane, OfADeviceWithoutNcclIsTheHosts) {
  for (const Transport transport : {Transport::automatic, Transport::mpi}) {
    run_ranks(2, [&](const Group& world) {
      CountingBackend backend(/*has_host_memory=*/false);
      const Mesh mesh(world, {.pipeline = 1, .data = 2, .tensor = 1});
      open_device_plane(mesh, backend, transport);
      const Tensor x = Tensor::from<double>(backend, {1}, std::vector<double>{world.rank() + 1.0});
      const std::int64_t before = backend.reads;
      mesh.data().on(backend).all_reduce(x.view(), ReduceOp::sum).wait();
      EXPECT_EQ(backend.reads, before + 1);
      EXPECT_EQ(x.values<double>(), std::vector<double>{3.0});
    });
  }
}

TEST(DevicePlane, OfNcclIsRefusedWhereItCannotBe) {
  const Mesh mesh(Group(), {});
  CountingBackend host(/*has_host_memory=*/true), device(/*has_host_memory=*/false);
  EXPECT_EQ(
      message_of<ConfigError>([&] { open_device_plane(mesh, host, Transport::nccl); }),
      "parallel.transport: nccl is for run.device: cuda, but the job runs on backend reference; "
      "want auto or mpi");
  EXPECT_NO_THROW(open_device_plane(mesh, host, Transport::automatic));
  const std::string message =
      message_of<ConfigError>([&] { open_device_plane(mesh, device, Transport::nccl); });
  EXPECT_EQ(message.find("parallel.transport: nccl "), 0u) << message;
}

}  // namespace
}  // namespace ty::test
