#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "parallel/comm/threads/threads.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {
namespace {

TEST(SelfCommunicator, DoesEverythingWithItself) { check_everything(Group()); }

class Threads : public testing::TestWithParam<int> {};
TEST_P(Threads, DoEverything) { run_ranks(GetParam(), check_everything); }
INSTANTIATE_TEST_SUITE_P(Sizes, Threads, testing::Values(1, 2, 3, 4));

TEST(Threads, AnErrorOnOneRankReachesTheCallerAndFreesTheOthers) {
  try {
    run_ranks(3, [](const Group& world) {
      if (world.rank() == 1) throw DataError("rank 1 read a bad file");
      world.barrier();
      FAIL() << "the barrier ended";
    });
    FAIL();
  } catch (const DataError& e) {
    EXPECT_STREQ(e.what(), "rank 1 read a bad file");
  }
}

TEST(Threads, DifferentCallsAreNamedInsteadOfMixed) {
  try {
    run_ranks(2, [](const Group& world) {
      std::vector<double> x(world.rank() == 0 ? 3 : 4);
      world.all_reduce(flat(x), ReduceOp::sum).wait();
    });
    FAIL();
  } catch (const CommError& e) {
    EXPECT_NE(std::string(e.what()).find("all_reduce(sum) of 3 x fp64"), std::string::npos)
        << e.what();
    EXPECT_NE(std::string(e.what()).find("all_reduce(sum) of 4 x fp64"), std::string::npos)
        << e.what();
  }
}

TEST(Communicator, RefusesViewsThatDoNotFit) {
  std::vector<double> x(6);
  const View matrix = contiguous_view(x.data(), DType::f64, {2, 3});
  EXPECT_THROW(Group().all_reduce(matrix.transpose(0, 1), ReduceOp::sum), CommError);
  EXPECT_THROW(Group().all_gather(flat(x), matrix[0]), CommError);
}

// The association of the tree, written out: "((0+1)+2)" and so on, by halving.
std::string halving(int first, int last) {
  if (last - first == 1) return std::to_string(first);
  const int middle = first + (last - first) / 2;
  return "(" + halving(first, middle) + "+" + halving(middle, last) + ")";
}

TEST(Tree, StackMergesGiveTheHalvingTree) {
  for (int n = 1; n <= 33; ++n) {
    std::vector<std::string> stack;
    for (int i = 0; i < n; ++i) {
      std::string newest = std::to_string(i);
      for (auto merges = tree_merges_after(i, n); merges > 0; --merges) {
        newest = "(" + stack.back() + "+" + newest + ")";
        stack.pop_back();
      }
      stack.push_back(newest);
    }
    ASSERT_EQ(stack.size(), 1u) << n;
    EXPECT_EQ(stack[0], halving(0, n));
  }
}

TEST(Mesh, RanksAndCoordinatesAreInverse) {
  const MeshShape shape = {3, 2, 4};
  for (int rank = 0; rank < shape.size(); ++rank) {
    EXPECT_EQ(rank_of(coordinate_of(rank, shape), shape), rank);
  }
  EXPECT_EQ(to_string(coordinate_of(13, shape)), "pp1 dp1 tp1");
}

TEST(Mesh, DataFillsWhatIsLeftAndAWrongProductIsExplained) {
  EXPECT_EQ(resolve({.pipeline = 2, .data = {}, .tensor = {}}, 8).data, 4);
  try {
    resolve({.pipeline = 2, .data = 2, .tensor = 3}, 8);
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_STREQ(e.what(),
                 "parallel: dp 2 x tp 3 x pp 2 = 12 ranks, but the job has 8; change "
                 "parallel.data, tensor or pipeline");
  }
}

}  // namespace
}  // namespace ty::test
