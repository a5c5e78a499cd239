// What a rank that has run out of patience says, and that it says it in time.
#include "parallel/comm/roll_call.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "core/base/error.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/messages.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {
namespace {

TEST(RollCall, NamesThoseWhoDoNotAnswer) {
  RollCall roll({0, 1, 2, 3}, 0, "barrier", 9.04);
  EXPECT_FALSE(roll.is_complete());
  EXPECT_EQ(
      roll.verdict(),
      "ranks 1, 2 and 3 are late: rank 0 waits in barrier, for 9.0 s by now; stopped, or kept "
      "busy by something else? Run the same command to go on");
  roll.answer(3, "barrier");
  roll.answer(1, "barrier");
  EXPECT_EQ(roll.verdict(),
            "rank 2 is late: ranks 0, 1 and 3 wait in barrier, for 9.0 s by now; stopped, or kept "
            "busy by something else? Run the same command to go on");
}

TEST(RollCall, TellsWhatAllAreInIfNobodyIsLate) {
  RollCall roll({0, 1, 2}, 1, "barrier", 600);
  roll.answer(0, "all_reduce");
  roll.answer(2, "barrier");
  EXPECT_TRUE(roll.is_complete());
  EXPECT_EQ(roll.verdict(),
            "no rank is late, but nothing has moved for 600.0 s: rank 0 waits in all_reduce, ranks "
            "1 and 2 wait in barrier");
}

// Each rank's own patience, in the world and in groups of it.
TEST(RunRanks, NameTheLateRankOfTheWorld) {
  const std::string message = message_of<CommError>([] {
    run_ranks(3, [](const Group& world) {
      const Group group = world.split(world.rank() == 0 ? 1 : 0, -world.rank());
      if (world.rank() == 2) std::this_thread::sleep_for(std::chrono::seconds(1));
      if (world.rank() == 1) group.set_patience(0.1);
      std::vector<double> x(4);
      world.all_reduce(flat(x), ReduceOp::sum).wait();
    });
  });
  EXPECT_EQ(
      message.substr(0, message.find(';')),
      "rank 2 is late: ranks 0 and 1 wait in all_reduce(sum) of 4 x fp64 among 3 ranks, for 0.1 "
      "s by now");
}

}  // namespace
}  // namespace ty::test
