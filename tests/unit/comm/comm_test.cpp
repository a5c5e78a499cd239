#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "core/base/error.h"
#include "parallel/comm/phantom/phantom.h"
#include "parallel/comm/threads/threads.h"
#include "parallel/mesh/mesh.h"
#include "tests/support/messages.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {
namespace {

std::string check_name(const Check& check, int ranks) {
  return check.name + "On" + std::to_string(ranks);
}

class Self : public testing::TestWithParam<Check> {};
TEST_P(Self, Does) { GetParam().run(Group()); }
INSTANTIATE_TEST_SUITE_P(Every, Self, testing::ValuesIn(communicator_checks()),
                         [](const auto& test) { return check_name(test.param, 1); });

class Threads : public testing::TestWithParam<std::tuple<Check, int>> {};
TEST_P(Threads, Do) {
  const auto& [check, ranks] = GetParam();
  run_ranks(ranks, check.run, 60.0);
}
INSTANTIATE_TEST_SUITE_P(Every, Threads,
                         testing::Combine(testing::ValuesIn(communicator_checks()),
                                          testing::Values(1, 2, 3, 4)),
                         [](const auto& test) {
                           return check_name(std::get<0>(test.param), std::get<1>(test.param));
                         });

using Body = std::function<void(const Group&)>;
std::string error_of(int ranks, const Body& body) {
  return message_of<CommError>([&] { run_ranks(ranks, body, 60.0); });
}

TEST(RunRanks, GivesEveryRankItsNumber) {
  std::atomic<int> seen = 0;
  run_ranks(3, [&](const Group& world) {
    EXPECT_EQ(world.size(), 3);
    seen += 1 << world.rank();
  });
  EXPECT_EQ(seen, 7);
}

TEST(RunRanks, HandsOutTheFirstErrorAndFreesTheOthers) {
  std::atomic<int> freed = 0;
  const auto waits_in = [&](const Body& call) {
    return message_of<DataError>([&] {
      run_ranks(3, [&](const Group& world) {
        if (world.rank() == 1) throw DataError("rank 1 read a bad file");
        try {
          call(world);
        } catch (const CommError& e) {
          EXPECT_STREQ(std::string(e.what()).substr(std::string(e.what()).rfind(": ")).c_str(),
                       ": rank 1 of the world failed");
          ++freed;
          throw;
        }
      });
    });
  };
  std::vector<double> x(1);
  EXPECT_EQ(waits_in([](const Group& world) { world.barrier(); }), "rank 1 read a bad file");
  EXPECT_EQ(waits_in([&](const Group& world) {
              std::vector<double> own(1);
              world.receive(flat(own), 1, 0).wait();
            }),
            "rank 1 read a bad file");
  EXPECT_EQ(waits_in([](const Group& world) { (void)world.split(0, 0); }),
            "rank 1 read a bad file");
  EXPECT_EQ(freed, 6);
}

// A failure in one group must free the ranks that are anywhere inside a call of another.
TEST(RunRanks, EndAtWhateverPointAnUnrelatedRankFails) {
  for (int round = 0; round < 200; ++round) {
    EXPECT_THROW(run_ranks(3,
                           [&](const Group& world) {
                             const Group group = world.split(world.rank() == 2 ? 1 : 0, 0);
                             std::vector<double> x(500, 1.0);
                             if (world.rank() == 2) {
                               std::atomic<int> delay = round * 50;
                               while (delay > 0) --delay;
                               throw DataError("stop");
                             }
                             for (;;) group.all_reduce(flat(x), ReduceOp::max).wait();
                           }),
                 DataError);
  }
}

TEST(RunRanks, NameARankThatEndsWhileOthersWaitForIt) {
  EXPECT_EQ(error_of(2,
                     [](const Group& world) {
                       if (world.rank() == 0) world.barrier();
                     }),
            "barrier among 2 ranks: rank 1 has ended without it");
  EXPECT_EQ(error_of(2,
                     [](const Group& world) {
                       std::vector<float> x(5);
                       if (world.rank() == 0) world.receive(flat(x), 1, 3).wait();
                     }),
            "receive of 5 x fp32 with tag 3 from rank 1: rank 1 has ended without it");
}

TEST(RunRanks, DeliverWhatARankSentBeforeItEnded) {
  run_ranks(2, [](const Group& world) {
    std::vector<float> x = {static_cast<float>(world.rank())};
    if (world.rank() == 1) {
      world.send(flat(x), 0, 0).wait();
    } else {
      world.receive(flat(x), 1, 0).wait();
      EXPECT_EQ(x[0], 1.0f);
    }
  });
}

TEST(RunRanks, NameBothCallsThatDoNotMatch) {
  const auto mismatch = [](const Body& rank0, const Body& rank1) {
    return error_of(2, [&](const Group& world) { (world.rank() == 0 ? rank0 : rank1)(world); });
  };
  const auto has = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  const auto sum_of = [](auto x) {
    return [x](const Group& world) mutable { world.all_reduce(flat(x), ReduceOp::sum).wait(); };
  };
  const std::string counts =
      mismatch(sum_of(std::vector<double>(3)), sum_of(std::vector<double>(4)));
  has(counts, "all_reduce(sum) of 3 x fp64");
  has(counts, "all_reduce(sum) of 4 x fp64");
  // Equal bytes: MPI itself would add the wrong numbers and say nothing.
  const std::string types = mismatch(sum_of(std::vector<float>(4)), sum_of(std::vector<double>(2)));
  has(types, "4 x fp32");
  has(types, "2 x fp64");
  const std::string calls =
      mismatch(sum_of(std::vector<double>(3)), [](const Group& world) { world.barrier(); });
  has(calls, "all_reduce(sum) of 3 x fp64");
  has(calls, "barrier");
  has(mismatch(
          [](const Group& world) {
            std::vector<float> x(2);
            world.send(flat(x), 1, 0).wait();
          },
          [](const Group& world) {
            std::vector<double> x(1);
            world.receive(flat(x), 0, 0).wait();
          }),
      "receive: rank 0 sent 2 x fp32, rank 1 wants 1 x fp64");
}

TEST(RunRanks, AddInRankOrder) {
  // ((1 + 2^-24) + 2^-24) rounds twice to 1; any other order does not.
  run_ranks(3, [](const Group& world) {
    std::vector<float> x = {world.rank() == 0 ? 1.0f : 0x1p-24f};
    world.all_reduce(flat(x), ReduceOp::sum).wait();
    EXPECT_EQ(x[0], 1.0f);
  });
}

TEST(Self, AReceiveWithoutASendIsAnErrorAtOnce) {
  std::vector<float> x(1);
  Work work = Group().receive(flat(x), 0, 7);
  EXPECT_FALSE(work.test());
  EXPECT_EQ(message_of<CommError>([&] { work.wait(); }),
            "receive: a group of one rank waits for message 0 with tag 7 from itself");
}

TEST(Phantom, StandsAnywhereInAMeshThatDoesNotExist) {
  const MeshShape shape = {4, 8, 2};
  const Mesh mesh(Group(std::make_shared<PhantomCommunicator>(37, 64)), shape);
  EXPECT_EQ(to_string(mesh.at()), "pp2 dp2 tp1");
  EXPECT_EQ(mesh.pipeline().size(), 4);
  EXPECT_EQ(mesh.pipeline().rank(), 2);
  EXPECT_EQ(mesh.data().size(), 8);
  EXPECT_EQ(mesh.data().rank(), 2);
  EXPECT_EQ(mesh.tensor().size(), 2);
  EXPECT_EQ(mesh.tensor().rank(), 1);
}

}  // namespace
}  // namespace ty::test
