// What the planner counts is what happens, and what it chooses fits.
#include "models/linear/ttm_planner.h"

#include <gtest/gtest.h>

#include "core/backend/dry/dry_backend.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

const TtmMap kMedium = {with_rank({16, 16, 4}, {16, 16, 16}, 72), 1024, 4096};
const TtmMap kMediumReversed = {with_rank({4, 16, 16}, {16, 16, 16}, 72), 1024, 4096};
TtmMap bert(std::int64_t rank) { return {with_rank({8, 12, 8}, {12, 16, 16}, rank), 768, 3072}; }

double flops_per_token(const TtmMap& map, ChainOrder order, std::vector<int> groups = {1, 1, 1}) {
  return cost_of(ChainPass{std::move(groups), order, 0}, Direction::forward, map, 1).flops;
}

// Millions of operations of the published example shapes, to the digits that are given there.
TEST(TtmCost, OperationsOfTheWorkedExamples) {
  constexpr double kM = 1e6;
  EXPECT_NEAR(flops_per_token(kMedium, ChainOrder::from_left), 174.6 * kM, 0.05 * kM);
  EXPECT_NEAR(flops_per_token(kMedium, ChainOrder::from_right), 691.3 * kM, 0.05 * kM);
  EXPECT_NEAR(flops_per_token(kMediumReversed, ChainOrder::from_left), 691.3 * kM, 0.05 * kM);
  EXPECT_NEAR(flops_per_token(kMediumReversed, ChainOrder::from_right), 174.6 * kM, 0.05 * kM);
  EXPECT_NEAR(flops_per_token(bert(10), ChainOrder::from_left), 4.36 * kM, 0.005 * kM);
  EXPECT_NEAR(flops_per_token(bert(10), ChainOrder::from_right), 5.65 * kM, 0.005 * kM);
  EXPECT_NEAR(flops_per_token(bert(60), ChainOrder::from_left), 136.8 * kM, 0.05 * kM);
  EXPECT_NEAR(flops_per_token(bert(60), ChainOrder::from_right), 181.4 * kM, 0.05 * kM);
  EXPECT_NEAR(dense_layer_cost(Direction::forward, kMedium, 1).flops, 8.39 * kM, 0.005 * kM);
  EXPECT_NEAR(dense_layer_cost(Direction::forward, bert(10), 1).flops, 4.72 * kM, 0.005 * kM);
  const auto build = [](const TtmMap& map) {
    return cost_of(DensePass{cheapest_split(map.shape), 1}, Direction::forward, map, 0).flops;
  };
  EXPECT_NEAR(build(kMedium), 774 * kM, 0.5 * kM);
  EXPECT_NEAR(build(bert(10)), 51 * kM, 0.5 * kM);
  EXPECT_NEAR(build(bert(60)), 416 * kM, 0.5 * kM);
}

std::vector<TtmPass> passes(const TtmShape& shape, std::int64_t tokens) {
  std::vector<TtmPass> result;
  for (int split = 1; split <= shape.num_cores(); ++split) {
    for (int panels = 1; panels <= shape.out[0]; ++panels) {
      if (shape.out[0] % panels == 0) result.push_back(DensePass{split, panels});
    }
  }
  for (const auto& groups : groupings(shape.num_cores())) {
    for (const ChainOrder order : {ChainOrder::from_left, ChainOrder::from_right}) {
      for (const std::int64_t piece : {std::int64_t{0}, tokens}) {
        result.push_back(ChainPass{groups, order, piece});
      }
    }
  }
  return result;
}

struct Case {
  std::string name;
  TtmMap map;
  std::int64_t rows, piece;
};

std::vector<Case> cases() {
  return {{"medium", kMedium, 256, 64},
          {"medium_reversed", kMediumReversed, 100, 64},  // the last piece is smaller
          {"few_rows", bert(10), 8, 8},
          {"padded", {with_rank({8, 12, 8}, {12, 16, 16}, 20), 700, 2900}, 192, 48},
          {"two_cores", {with_rank({32, 24}, {48, 64}, 30), 768, 3072}, 128, 32},
          {"four_cores", {with_rank({4, 6, 8, 4}, {8, 8, 6, 8}, 16), 768, 3072}, 128, 32},
          {"one_core", {with_rank({96}, {160}, 1), 96, 160}, 64, 32}};
}

class Predicted : public testing::TestWithParam<Case> {
 protected:
  TtmMap map_ = GetParam().map;
  std::int64_t rows_ = GetParam().rows;

  // Bytes beyond inputs, outputs and gradients at the worst moment of each direction, and what
  // `count` has counted meanwhile.
  struct Measured {
    double counted;
    std::int64_t workspace;
  };
  template <typename Count>
  std::pair<Measured, Measured> measure(Backend& backend, const TtmPlan& plan, Count&& count) {
    const auto leaf = [&](const Shape& shape) {
      const Tensor x = make_leaf(Tensor::full(backend, shape, DType::f32, 0.5));
      leaf_of(x).grad = Tensor::empty(backend, shape, DType::f32);
      return x;
    };
    std::vector<Tensor> cores;
    for (int k = 0; k < map_.shape.num_cores(); ++k) {
      const auto sizes = map_.shape.core_shape(k);
      cores.push_back(leaf(Shape(std::span<const std::int64_t>(sizes))));
    }
    const Tensor x = leaf({rows_, map_.in});
    const Tensor dy = Tensor::full(backend, {rows_, map_.out}, DType::f32, 0.5);
    const auto run = [&](std::int64_t result_bytes, auto&& fn) {
      backend.memory().reset_peak();
      const std::int64_t live = backend.memory().stats().total_live;
      const double before = count();
      fn();
      return Measured{count() - before, backend.memory().stats().total_peak - live - result_bytes};
    };
    Tensor y;
    const Measured forward =
        run(4 * rows_ * map_.out, [&] { y = ttm_linear(x, cores, Tensor(), map_, plan); });
    const Measured back = run(4 * rows_ * map_.in, [&] { backward(y, dy); });
    return {forward, back};
  }
};

TEST_P(Predicted, OperationsAndWorkspaceAreWhatTheLayerTakes) {
  for (const TtmPass& pass : passes(map_.shape, GetParam().piece)) {
    DryBackend backend;
    const auto [forward, back] =
        measure(backend, {pass, pass}, [&] { return backend.counts().matrix_flops; });
    for (const auto& [direction, measured] :
         {std::pair{Direction::forward, forward}, std::pair{Direction::backward, back}}) {
      const PassCost cost = cost_of(pass, direction, map_, rows_);
      const std::string what =
          to_string(pass) + (direction == Direction::forward ? ", forward" : ", backward");
      EXPECT_NEAR(cost.flops, measured.counted, 1e-6 * measured.counted) << what;
      EXPECT_GE(cost.workspace, measured.workspace) << what;
      EXPECT_LE(cost.workspace, measured.workspace + measured.workspace / 10) << what;
    }
  }
}

TEST_P(Predicted, TheCpuBackendTakesTheSameWorkspace) {
  if (rows_ > 64) return;  // the small cases will do
  for (const TtmPass& pass : passes(map_.shape, GetParam().piece)) {
    DryBackend dry;
    const auto cpu = make_cpu_backend();
    const auto zero = [] { return 0.0; };
    const auto wanted = measure(dry, {pass, pass}, zero), got = measure(*cpu, {pass, pass}, zero);
    EXPECT_EQ(got.first.workspace, wanted.first.workspace) << to_string(pass);
    EXPECT_EQ(got.second.workspace, wanted.second.workspace) << to_string(pass);
  }
}

TEST_P(Predicted, TheChoiceFitsWheneverAnythingDoes) {
  std::vector<std::int64_t> limits;
  for (const Candidate& each : choose_ttm_plan(map_, rows_).forward) {
    limits.push_back(each.cost.workspace);
  }
  for (const Candidate& each : choose_ttm_plan(map_, rows_).backward) {
    limits.push_back(each.cost.workspace);
  }
  for (const std::int64_t limit : limits) {
    const TtmChoice choice = choose_ttm_plan(map_, rows_, limit);
    for (const auto& [candidates, chosen, direction] :
         {std::tuple{choice.forward, choice.plan.forward, Direction::forward},
          std::tuple{choice.backward, choice.plan.backward, Direction::backward}}) {
      const PassCost cost = cost_of(chosen, direction, map_, rows_);
      for (const Candidate& each : candidates) {
        EXPECT_EQ(each.fits, each.cost.workspace <= limit);
        if (each.fits) {
          EXPECT_LE(cost.workspace, limit) << to_string(chosen);
          EXPECT_LE(cost.seconds, each.cost.seconds) << to_string(chosen);
        }
        if (cost.workspace > limit) {
          EXPECT_LE(cost.workspace, each.cost.workspace);
        }
      }
    }
  }
}

TEST_P(Predicted, TheChoiceIsTheSameEveryTime) {
  const TtmChoice once = choose_ttm_plan(map_, rows_), again = choose_ttm_plan(map_, rows_);
  EXPECT_EQ(once.plan, again.plan);
  ASSERT_EQ(once.backward.size(), again.backward.size());
  for (std::size_t i = 0; i < once.backward.size(); ++i) {
    EXPECT_EQ(once.backward[i].pass, again.backward[i].pass);
    if (i > 0) {
      EXPECT_LE(once.backward[i - 1].cost.seconds, once.backward[i].cost.seconds);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Every, Predicted, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ty::test
