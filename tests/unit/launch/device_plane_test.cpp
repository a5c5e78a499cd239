// By what a device's tensors travel, for each choice of parallel.transport.
#include "launch/run/device_plane.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "launch/run/device.h"
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

// Ranks 0 to 3 on two machines of two cards each: a rank's number in the job says nothing.
TEST(Device, IsTheCardOfTheRanksPlaceOnItsMachine) {
  const MachinePlace places[] = {{0, 2}, {1, 2}, {0, 2}, {1, 2}};
  const int cards[] = {0, 1, 0, 1};
  for (int rank = 0; rank < 4; ++rank) EXPECT_EQ(card_of(places[rank], 2), cards[rank]);
  EXPECT_EQ(card_of({5, 8}, 4), 1);
  EXPECT_EQ(card_of({3, 4}, 1), 0);
}

TEST(Device, SaysWhereRanksShareCards) {
  EXPECT_EQ(sharing_note(MachinePlace{0, 2}, 2), "");
  EXPECT_EQ(sharing_note(MachinePlace{1, 4}, 1),
            "4 ranks share 1 card of this machine, so all send by way of the host");
  EXPECT_EQ(sharing_note(MachinePlace{1, 3}, 2),
            "3 ranks share 2 cards of this machine, so all send by way of the host");
}

}  // namespace
}  // namespace ty::test
