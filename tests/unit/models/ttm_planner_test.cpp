// What the planner counts is what happens, and what it chooses fits.
#include "models/linear/ttm/ttm_planner.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/autograd/backward.h"
#include "core/backend/dry/dry_backend.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

const TtmLayer kMedium = {with_rank({16, 16, 4}, {16, 16, 16}, 72), 1024, 4096};
const TtmLayer kMediumReversed = {with_rank({4, 16, 16}, {16, 16, 16}, 72), 1024, 4096};
TtmLayer bert(std::int64_t rank) { return {with_rank({8, 12, 8}, {12, 16, 16}, rank), 768, 3072}; }

double flops_per_token(const TtmLayer& layer, ChainOrder order,
                       std::vector<int> groups = {1, 1, 1}) {
  return cost_of(ChainPass{std::move(groups), order, 0}, layer, 1).flops;
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
  EXPECT_NEAR(dense_layer_cost(kMedium, 1).forward.flops, 8.39 * kM, 0.005 * kM);
  EXPECT_NEAR(dense_layer_cost(bert(10), 1).forward.flops, 4.72 * kM, 0.005 * kM);
  const auto build = [](const TtmLayer& layer) {
    return cost_of(DensePass{cheapest_split(layer.shape), 1}, layer, 0).flops;
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
      for (const std::int64_t wide : {0, 16}) {
        result.push_back(ChainPass{groups, order, 0, wide});
        result.push_back(ChainPass{groups, order, tokens, wide});
      }
    }
  }
  return result;
}

struct Case {
  std::string name;
  TtmLayer layer;
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
  TtmLayer map_ = GetParam().layer;
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

void expect_near(const PassCost& cost, double counted, std::int64_t workspace,
                 const std::string& what) {
  EXPECT_NEAR(cost.flops, counted, 1e-6 * counted) << what;
  EXPECT_GE(cost.workspace, workspace) << what;
  EXPECT_LE(cost.workspace, workspace + workspace / 10) << what;
}

// Every pass for both gradients, and pairs of a pass for each.
std::vector<BackwardPass> backward_passes(const TtmLayer& layer, std::int64_t tokens) {
  std::vector<BackwardPass> result;
  const std::vector<TtmPass> cores = passes(layer.shape, tokens);
  const std::vector<TtmPass> input = passes(transposed(layer.shape), tokens);
  for (const TtmPass& pass : cores) result.push_back({pass});
  for (std::size_t i = 0; i < input.size(); ++i) {
    result.push_back({.cores = cores[i * 5 % cores.size()], .input = input[i]});
  }
  return result;
}

TEST_P(Predicted, OperationsAndWorkspaceAreWhatTheLayerTakes) {
  const std::vector<TtmPass> forward = passes(map_.shape, GetParam().piece);
  const std::vector<BackwardPass> backward = backward_passes(map_, GetParam().piece);
  for (std::size_t i = 0; i < backward.size(); ++i) {
    const TtmPlan plan = {forward[i % forward.size()], backward[i]};
    DryBackend backend(host_device(2));
    const auto [there, back] =
        measure(backend, plan, [&] { return backend.counts().matrix_flops; });
    expect_near(cost_of(plan.forward, map_, rows_), there.counted, there.workspace,
                to_string(plan.forward) + ", forward");
    expect_near(cost_of(plan.backward, map_, rows_), back.counted, back.workspace,
                to_string(plan.backward) + ", backward");
  }
}

TEST_P(Predicted, TheCpuBackendTakesTheSameWorkspace) {
  if (rows_ > 64) return;  // the small cases will do
  const std::vector<TtmPass> forward = passes(map_.shape, GetParam().piece);
  const std::vector<BackwardPass> backward = backward_passes(map_, GetParam().piece);
  for (std::size_t i = 0; i < backward.size(); ++i) {
    const TtmPlan plan = {forward[i % forward.size()], backward[i]};
    DryBackend dry(host_device(2));
    const auto cpu = make_cpu_backend();
    const auto zero = [] { return 0.0; };
    const auto wanted = measure(dry, plan, zero), got = measure(*cpu, plan, zero);
    EXPECT_EQ(got.first.workspace, wanted.first.workspace) << to_string(plan.forward);
    EXPECT_EQ(got.second.workspace, wanted.second.workspace) << to_string(plan.backward);
  }
}

// The fastest of those that fit; if none does, the smallest.
template <typename Pass>
void expect_best(const Pass& chosen, const std::vector<Candidate<Pass>>& candidates,
                 const PassCost& cost, std::int64_t limit) {
  for (const Candidate<Pass>& each : candidates) {
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

TEST_P(Predicted, TheChoiceFitsWheneverAnythingDoes) {
  const TtmChoice free = choose_ttm_plan(map_, rows_);
  std::vector<std::int64_t> limits;
  for (const auto& each : free.forward) limits.push_back(each.cost.workspace);
  for (const auto& each : free.backward) limits.push_back(each.cost.workspace);
  for (const std::int64_t limit : limits) {
    const TtmChoice choice = choose_ttm_plan(map_, rows_, limit);
    expect_best(choice.plan.forward, choice.forward, cost_of(choice.plan.forward, map_, rows_),
                limit);
    expect_best(choice.plan.backward, choice.backward, cost_of(choice.plan.backward, map_, rows_),
                limit);
  }
}

TEST_P(Predicted, PassesAreCutAsTheDeviceLikesIt) {
  const std::int64_t limit = default_workspace_limit(map_);
  DeviceModel device = host_device(2);
  device.work.piece_numbers = 0;  // no cache to mind: all rows go through at once
  std::size_t chains = 0;
  for (const auto& each : choose_ttm_plan(map_, rows_, limit, device).forward) {
    const auto* chain = std::get_if<ChainPass>(&each.pass);
    if (chain == nullptr) continue;
    ++chains;
    EXPECT_EQ(chain->tokens, 0) << to_string(each.pass);
  }
  EXPECT_EQ(chains > 0, map_.shape.num_cores() > 1);
}

TEST_P(Predicted, TheDeviceSaysWhatAPassCosts) {
  DeviceModel device = host_device(2);
  const TtmPass pass = DensePass{1, 1};
  const PassCost usual = cost_of(pass, map_, rows_, device);
  device.costs.call_seconds += 1;
  const double calls = cost_of(pass, map_, rows_, device).seconds - usual.seconds;
  EXPECT_GE(calls, 1 - 1e-6);
  EXPECT_NEAR(calls, std::round(calls), 1e-6);
  device.work.workers = 7;  // which no plan may depend on
  EXPECT_EQ(cost_of(pass, map_, rows_, device).workspace, usual.workspace);
}

TEST_P(Predicted, CandidatesComeFastestFirst) {
  const TtmChoice choice = choose_ttm_plan(map_, rows_);
  for (std::size_t i = 1; i < choice.backward.size(); ++i) {
    EXPECT_LE(choice.backward[i - 1].cost.seconds, choice.backward[i].cost.seconds);
  }
}

INSTANTIATE_TEST_SUITE_P(Every, Predicted, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ty::test
