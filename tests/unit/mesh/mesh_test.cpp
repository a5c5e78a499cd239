#include "parallel/mesh/mesh.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

TEST(Mesh, TensorIsTheFastestAxisThenDataThenPipeline) {
  const MeshShape shape = {.pipeline = 2, .data = 3, .tensor = 2};
  const char* const golden[] = {
      "pp0 dp0 tp0", "pp0 dp0 tp1", "pp0 dp1 tp0", "pp0 dp1 tp1", "pp0 dp2 tp0", "pp0 dp2 tp1",
      "pp1 dp0 tp0", "pp1 dp0 tp1", "pp1 dp1 tp0", "pp1 dp1 tp1", "pp1 dp2 tp0", "pp1 dp2 tp1",
  };
  ASSERT_EQ(shape.size(), 12);
  for (int rank = 0; rank < 12; ++rank) {
    EXPECT_EQ(to_string(coordinate_of(rank, shape)), golden[rank]);
  }
  EXPECT_EQ(ranks_along(Axis::tensor, 7, shape), (std::vector<int>{6, 7}));
  EXPECT_EQ(ranks_along(Axis::data, 7, shape), (std::vector<int>{7, 9, 11}));
  EXPECT_EQ(ranks_along(Axis::pipeline, 7, shape), (std::vector<int>{1, 7}));
}

TEST(Mesh, EveryShapeNumbersItsRanksOnceAndItsGroupsAreEqualOrDisjoint) {
  for (int p = 1; p <= 4; ++p) {
    for (int d = 1; d <= 4; ++d) {
      for (int t = 1; t <= 4; ++t) {
        const MeshShape shape = {p, d, t};
        for (int rank = 0; rank < shape.size(); ++rank) {
          EXPECT_EQ(rank_of(coordinate_of(rank, shape), shape), rank);
        }
        for (Axis axis : {Axis::pipeline, Axis::data, Axis::tensor}) {
          std::set<std::vector<int>> groups;
          std::size_t members = 0;
          for (int rank = 0; rank < shape.size(); ++rank) {
            groups.insert(ranks_along(axis, rank, shape));
          }
          for (const auto& group : groups) members += group.size();
          EXPECT_EQ(static_cast<int>(members), shape.size());
        }
      }
    }
  }
}

TEST(Mesh, DataFillsWhatPipelineAndTensorLeave) {
  const auto degrees = [](MeshRequest request, int ranks) {
    const MeshShape s = resolve(request, ranks);
    return std::vector<int>{s.pipeline, s.data, s.tensor};
  };
  const auto automatic = std::nullopt;
  EXPECT_EQ(degrees({automatic, automatic, automatic}, 1), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(degrees({automatic, automatic, automatic}, 6), (std::vector<int>{1, 6, 1}));
  EXPECT_EQ(degrees({2, automatic, automatic}, 8), (std::vector<int>{2, 4, 1}));
  EXPECT_EQ(degrees({2, automatic, 4}, 8), (std::vector<int>{2, 1, 4}));
  EXPECT_EQ(degrees({2, 2, 2}, 8), (std::vector<int>{2, 2, 2}));
}

TEST(Mesh, SaysWhyAShapeDoesNotFitTheJob) {
  const auto refusal = [](MeshRequest request, int ranks) {
    return message_of<ConfigError>([&] { resolve(request, ranks); });
  };
  EXPECT_EQ(refusal({2, 2, 3}, 8),
            "parallel: dp 2 x tp 3 x pp 2 = 12 ranks, but the job has 8; change parallel.data, "
            "tensor or pipeline");
  EXPECT_EQ(refusal({1, std::nullopt, 3}, 8),
            "parallel: tp 3 x pp 1 = 3 does not divide the job's 8 ranks, so parallel.data cannot "
            "fill what is left; change parallel.tensor, pipeline or the number of ranks");
  EXPECT_EQ(refusal({1, 1, 0}, 8), "parallel.tensor: 0 is not a degree; give 1 or more, or auto");
  EXPECT_EQ(refusal({-2, -4, 1}, 8),
            "parallel.pipeline: -2 is not a degree; give 1 or more, or auto");
  // 65536 * 65536 wraps to 0 in an int.
  EXPECT_EQ(refusal({65536, 1, 65536}, 8),
            "parallel: dp 1 x tp 65536 x pp 65536 = 4294967296 ranks, but the job has 8; change "
            "parallel.data, tensor or pipeline");
}

}  // namespace
}  // namespace ty::test
