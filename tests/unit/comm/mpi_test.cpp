#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "parallel/comm/mpi/mpi_world.h"
#include "tests/support/counting_backend.h"
#include "tests/support/messages.h"
#include "tests/support/mpi_environment.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {
namespace {

class Mpi : public testing::TestWithParam<Check> {};
TEST_P(Mpi, Does) { GetParam().run(mpi_world()); }
INSTANTIATE_TEST_SUITE_P(Every, Mpi, testing::ValuesIn(communicator_checks()),
                         [](const auto& test) { return test.param.name; });

TEST(Mpi, RefusesTheMemoryOfADevice) {
  CountingBackend backend(/*has_host_memory=*/false);
  EXPECT_EQ(message_of<CommError>([&] { (void)mpi_world().on(backend); }),
            "on: these ranks do not reach the memory of backend reference");
}

TEST(Mpi, RepeatsItsBits) {
  std::vector<float> first;
  for (int round = 0; round < 20; ++round) {
    std::vector<float> x(1000);
    for (std::size_t k = 0; k < x.size(); ++k) {
      x[k] = std::sin(static_cast<float>(k) * static_cast<float>(mpi_world().rank() + 1));
    }
    mpi_world().all_reduce(flat(x), ReduceOp::sum).wait();
    if (round == 0) first = x;
    EXPECT_EQ(x, first);
  }
}

// The roll call that a late rank misses ends when it comes after all, and leaves nothing behind.
TEST(Mpi, ForgivesARankThatComesWhileOthersAskForIt) {
  for (int round = 0; round < 2; ++round) {
    if (mpi_world().rank() == mpi_world().size() - 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    std::vector<float> x = {1.0f};
    mpi_world().all_reduce(flat(x), ReduceOp::sum).wait(0.2);
    EXPECT_EQ(x[0], static_cast<float>(mpi_world().size()));
    mpi_world().barrier();
  }
}

TEST(Mpi, KnowsItsLauncherAndTheRanksOfThisMachine) {
  EXPECT_TRUE(launched_by_mpi());
  EXPECT_EQ(mpi_session().local_size(), mpi_world().size());
  EXPECT_EQ(mpi_session().local_rank(), mpi_world().rank());
}

}  // namespace
}  // namespace ty::test
