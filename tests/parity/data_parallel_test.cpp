// The same numbers for any number of data ranks.
#include <gtest/gtest.h>

#include <cmath>

#include "core/autograd/backward.h"
#include "core/base/error.h"
#include "launch/run/training_step.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "models/transformer/spec.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/counting_backend.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

struct Training {
  int ranks = 1;
  bool zero = false;
  Reduction reduction = Reduction::fast;
  std::int64_t micro_batches = 1;
  FlatOptions dtypes = {};
  int steps = 50;
  Recompute recompute = Recompute::none;
  std::vector<LinearRule> linear = {};
  WeightReuse reuse = WeightReuse::pass;
  bool sgd = false;
  double clip = 0.5;
};

// Factorised layers at every place that can hold them.
std::vector<LinearRule> factorised() {
  const TtmSpec up = {.in = {2, 4}, .out = {8, 4}, .rank = 3}, down = {.rank = 2};
  return {{"*", SvdSpec{.rank = 3}}, {"blocks.*.mlp.up", up}, {"blocks.*.mlp.down", down}};
}

struct Curve {
  std::vector<double> losses, norms;
  std::vector<double> initial, weights;
};

std::vector<double> weights_of(const FlatParameters& flat) {
  std::vector<double> all;
  for (std::size_t i = 0; i < flat.store().all().size(); ++i) {
    const auto values = doubles(flat.weight_of(i));
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

std::unique_ptr<Optimizer> make_optimizer(FlatParameters& flat, const std::vector<Piece>& pieces,
                                          bool sgd) {
  const auto decay = [](const Parameter& p) {
    return UpdateOptions{.weight_decay = p.shape.rank() > 1 ? 0.1 : 0.0};
  };
  if (sgd) return make_sgd(flat, pieces, decay, {.momentum = 0.9});
  return make_adamw(flat, pieces, decay, {});
}

constexpr std::int64_t kBatch = 12, kLength = 6, kVocab = 19;

// The global batch of a step; some targets are missing, unevenly over the sequences.
HostBatch part_of_batch(std::int64_t step, int rank, int ranks) {
  const std::int64_t first = kBatch * rank / ranks, last = kBatch * (rank + 1) / ranks;
  std::vector<std::int32_t> ids, targets;
  const RandomStream stream(9, site_id("batch"), static_cast<std::uint64_t>(step));
  for (std::int64_t s = first; s < last; ++s) {
    for (std::int64_t t = 0; t < kLength; ++t) {
      const auto at = static_cast<std::uint64_t>(t);
      const auto token =
          static_cast<std::int32_t>(stream.word(static_cast<std::uint64_t>(s), at) % kVocab);
      ids.push_back(token);
      targets.push_back(t < s % 3 ? -1 : (token * 5 + 1) % static_cast<std::int32_t>(kVocab));
    }
  }
  return token_batch(step * kBatch + first, last - first, std::move(ids), std::move(targets));
}

Curve train_rank(const Group& data, const Training& setup) {
  const auto backend = make_reference_backend();
  const ModelSpec config = {.layers = 2,
                            .width = 8,
                            .heads = 2,
                            .context = kLength,
                            .vocab = kVocab,
                            .dropout = DropoutRates::all(0.1)};
  Model model(describe_model(config), LinearRules(setup.linear));
  FlatParameters flat(model.parameters(), plan_flat_layout(model.parameters(), 300, data.size()),
                      *backend, setup.dtypes);
  flat.initialise(7);
  GradientReducer reducer(flat, {.data = data}, {setup.zero, setup.reduction});
  const auto optimizer = make_optimizer(flat, reducer.owned_pieces(), setup.sgd);
  const std::int64_t sequences = part_of_batch(0, data.rank(), data.size()).sequences;
  const auto objective = cross_entropy_objective();
  TrainingStep step(
      model, *objective, flat, *optimizer, reducer,
      {.micro_batches = setup.reduction == Reduction::canonical ? sequences : setup.micro_batches,
       .recompute = setup.recompute,
       .reuse = setup.reuse,
       .clip = setup.clip,
       .seed = 7,
       .schedule = {
           .kind = LearningRateKind::cosine, .peak = 1e-2, .warmup = 5, .steps = setup.steps}});
  Curve curve = {.losses = {}, .norms = {}, .initial = weights_of(flat), .weights = {}};
  for (std::int64_t s = 0; s < setup.steps; ++s) {
    const StepReport report = step.run(part_of_batch(s, data.rank(), data.size()), s);
    curve.losses.push_back(report.loss);
    curve.norms.push_back(report.gradient_norm);
  }
  reducer.gather_weights();
  curve.weights = weights_of(flat);
  return curve;
}

// Rank 0's curve, after checking that all ranks saw the same.
Curve train(const Training& setup) {
  std::vector<Curve> curves(static_cast<std::size_t>(setup.ranks));
  run_ranks(setup.ranks, [&](const Group& world) {
    curves[static_cast<std::size_t>(world.rank())] = train_rank(world, setup);
  });
  for (const Curve& curve : curves) {
    EXPECT_EQ(curve.losses, curves[0].losses);
    EXPECT_EQ(curve.weights, curves[0].weights);
  }
  return curves[0];
}

void expect_close(const Curve& a, const Curve& b, double tolerance) {
  ASSERT_EQ(a.losses.size(), b.losses.size());
  for (std::size_t i = 0; i < a.losses.size(); ++i) {
    EXPECT_NEAR(a.losses[i], b.losses[i], tolerance * b.losses[i]) << "step " << i;
    EXPECT_NEAR(a.norms[i], b.norms[i], 100 * tolerance * b.norms[i]) << "step " << i;
  }
}

const Curve& one_rank() {
  static const Curve curve = train({});
  return curve;
}

TEST(DataParallel, TheOneRankRunLearns) {
  EXPECT_LT(one_rank().losses.back(), 0.8 * one_rank().losses.front());
}

class Layouts : public testing::TestWithParam<std::tuple<int, bool, int>> {};

TEST_P(Layouts, GiveFiftyLossesEqualToTheOneRankRun) {
  const auto [ranks, zero, micro_batches] = GetParam();
  expect_close(train({.ranks = ranks, .zero = zero, .micro_batches = micro_batches}), one_rank(),
               1e-5);
}
INSTANTIATE_TEST_SUITE_P(Ranks, Layouts,
                         testing::Combine(testing::Values(1, 2, 3, 4), testing::Bool(),
                                          testing::Values(1, 2)));

TEST(DataParallel, CanonicalReductionIsBitEqualForEveryPowerOfTwo) {
  const Curve one = train({.reduction = Reduction::canonical});
  expect_close(one, one_rank(), 1e-5);
  for (int ranks : {2, 4}) {
    for (bool zero : {false, true}) {
      const Curve many = train({.ranks = ranks, .zero = zero, .reduction = Reduction::canonical});
      EXPECT_EQ(many.losses, one.losses) << ranks << " ranks, zero " << zero;
      EXPECT_EQ(many.norms, one.norms) << ranks << " ranks, zero " << zero;
      EXPECT_EQ(many.weights, one.weights) << ranks << " ranks, zero " << zero;
    }
  }
}

TEST(DataParallel, RecomputationDoesNotChangeTheReduction) {
  EXPECT_EQ(train({.ranks = 2, .steps = 5, .recompute = Recompute::block}).losses,
            train({.ranks = 2, .steps = 5}).losses);
}

TEST(DataParallel, FactorisedMapsGiveTheSameLossesInEveryLayout) {
  const Curve one = train({.linear = factorised()});
  EXPECT_LT(one.losses.back(), 0.9 * one.losses.front());
  for (const int ranks : {1, 2, 4}) {
    for (const bool zero : {false, true}) {
      expect_close(
          train({.ranks = ranks, .zero = zero, .micro_batches = 3, .linear = factorised()}), one,
          1e-5);
    }
  }
}

TEST(DataParallel, FactorisedMapsAreCanonicalBitByBit) {
  const Training setup = {.reduction = Reduction::canonical, .steps = 15, .linear = factorised()};
  const Curve one = train(setup);
  for (const int ranks : {2, 4}) {
    for (const bool zero : {false, true}) {
      Training many = setup;
      many.ranks = ranks;
      many.zero = zero;
      const Curve curve = train(many);
      EXPECT_EQ(curve.losses, one.losses) << ranks << " ranks, zero " << zero;
      EXPECT_EQ(curve.weights, one.weights) << ranks << " ranks, zero " << zero;
    }
  }
}

TEST(DataParallel, SharedMapsTakeTheSameSteps) {
  constexpr FlatOptions kDouble = {.compute = DType::f64, .weights = DType::f64};
  Training setup = {.micro_batches = 4, .dtypes = kDouble, .steps = 10, .linear = factorised()};
  const Curve wanted = train(setup);
  setup.reuse = WeightReuse::step;
  for (const Recompute recompute : {Recompute::none, Recompute::block}) {
    setup.recompute = recompute;
    expect_close(train(setup), wanted, 1e-10);
    Training ranks = setup;
    ranks.ranks = 3;
    ranks.zero = true;
    expect_close(train(ranks), wanted, 1e-10);
  }
}

TEST(DataParallel, ShardedMasterWeightsFollowTheWholeOnes) {
  const FlatOptions mixed = {.compute = DType::bf16, .weights = DType::f32};
  expect_close(train({.ranks = 2, .zero = true, .dtypes = mixed, .steps = 10}),
               train({.ranks = 2, .zero = false, .dtypes = mixed, .steps = 10}), 1e-5);
}

// Every type that weights may have, in every way to train them.
using Recipe = std::tuple<DType, DType, bool, bool, double>;  // compute, weights, sgd, zero, clip
class Recipes : public testing::TestWithParam<Recipe> {};

std::string recipe_name(const testing::TestParamInfo<Recipe>& recipe) {
  const auto [compute, weights, sgd, zero, clip] = recipe.param;
  return fmt::format("{}_{}_{}_{}_{}", name_of(compute), name_of(weights), sgd ? "sgd" : "adamw",
                     zero ? "zero" : "whole", clip > 0 ? "clip" : "free");
}

TEST_P(Recipes, MoveTheWeightsAndLowerTheLoss) {
  const auto [compute, weights, sgd, zero, clip] = GetParam();
  Training setup = {.ranks = 2, .zero = zero, .dtypes = {compute, weights}, .steps = 30};
  setup.sgd = sgd;
  setup.clip = clip;
  const Curve curve = train(setup);
  EXPECT_LT(curve.losses.back(), 0.95 * curve.losses.front());
  std::size_t moved = 0;
  for (std::size_t i = 0; i < curve.weights.size(); ++i) {
    moved += curve.weights[i] != curve.initial[i] ? 1 : 0;
  }
  EXPECT_GT(moved, curve.weights.size() * 9 / 10);
}
// Except fp16 to compute in, which wants a loss scale (fp16_test.cpp).
INSTANTIATE_TEST_SUITE_P(
    Precision, Recipes,
    testing::Combine(testing::Values(DType::f32, DType::bf16, DType::f64),
                     testing::Values(DType::f32, DType::bf16, DType::f16, DType::f64),
                     testing::Bool(), testing::Bool(), testing::Values(0.0, 0.5)),
    recipe_name);

TEST(DataParallel, RoundedWeightsAreTheSameForAnyNumberOfRanks) {
  Training setup = {.reduction = Reduction::canonical,
                    .dtypes = {.compute = DType::bf16, .weights = DType::bf16},
                    .steps = 8};
  const Curve one = train(setup);
  for (const bool zero : {false, true}) {
    setup.ranks = 4;
    setup.zero = zero;
    EXPECT_EQ(train(setup).weights, one.weights) << "zero " << zero;
  }
}

// A leaf that nothing depended on has a gradient of zero, not the last step's.
TEST(DataParallel, AnEmptyGradientIsZeroInEveryBucket) {
  run_ranks(2, [](const Group& world) {
    const auto backend = make_reference_backend();
    ParameterStore store;
    store.declare("used", {4}, Init::constant(1.0));
    store.declare("unused", {4}, Init::constant(1.0));
    FlatParameters flat(store, plan_flat_layout(store, 1, 2), *backend, {});
    flat.initialise(1);
    GradientReducer reducer(flat, {.data = world}, {});
    for (const bool uses_both : {true, false}) {
      flat.clear_gradients();
      const Tensor a = store.find("used")->value, b = store.find("unused")->value;
      const Tensor y =
          record("one or both", Tensor::full(*backend, {4}, DType::f32, 0.0), {a, b},
                 [uses_both](const Tensor& dy) {
                   return Grads{dy.detach(), uses_both ? Gradient(dy.detach()) : Gradient()};
                 });
      reducer.begin_step(1);
      backward(y, Tensor::full(*backend, {4}, DType::f32, 1.0), reducer.backward_options(true));
      reducer.micro_batch_done(0);
      reducer.finish();
      EXPECT_EQ(doubles(grad_of(a)), std::vector<double>(4, 2.0));
      EXPECT_EQ(doubles(grad_of(b)), std::vector<double>(4, uses_both ? 2.0 : 0.0));
    }
  });
}

// The loss of the step and the squares of its gradient, whatever the number of micro-batches.
TEST(DataParallel, AStepReadsTwiceFromTheBackend) {
  for (const std::int64_t micro_batches : {1, 3, 6}) {
    CountingBackend backend;
    Model model(
        describe_model({.layers = 1, .width = 4, .heads = 1, .context = kLength, .vocab = kVocab}),
        LinearRules());
    FlatParameters flat(model.parameters(), plan_flat_layout(model.parameters(), 1 << 20, 1),
                        backend, {});
    flat.initialise(7);
    GradientReducer reducer(flat, {}, {});
    const auto optimizer = make_optimizer(flat, reducer.owned_pieces(), false);
    const auto objective = cross_entropy_objective();
    TrainingStep step(model, *objective, flat, *optimizer, reducer,
                      {.micro_batches = micro_batches});
    backend.reads = 0;
    step.run(part_of_batch(0, 0, 1), 0);
    EXPECT_EQ(backend.reads, 2) << micro_batches;
  }
}

TEST(DataParallel, NonFiniteGradientsStopEveryRankBeforeAWeightChanges) {
  const auto backend = make_reference_backend();
  Model model(
      describe_model({.layers = 1, .width = 4, .heads = 1, .context = kLength, .vocab = kVocab}),
      LinearRules());
  FlatParameters flat(model.parameters(), plan_flat_layout(model.parameters(), 1 << 20, 1),
                      *backend, {});
  flat.initialise(7);
  backend->fill(model.parameters().find("blocks.0.norm1.bias")->value.view(), NAN);
  const auto before = doubles(model.parameters().find("head.norm.bias")->value);
  GradientReducer reducer(flat, {}, {});
  const auto optimizer = make_adamw(flat, reducer.owned_pieces(),
                                    [](const Parameter&) { return UpdateOptions(); }, {});
  const auto objective = cross_entropy_objective();
  TrainingStep step(model, *objective, flat, *optimizer, reducer, {});
  try {
    step.run(part_of_batch(0, 0, 1), 0);
    FAIL();
  } catch (const NonFiniteError& e) {
    EXPECT_EQ(std::string(e.what()), "loss nan: weight blocks.0.norm1.bias is not finite");
  }
  EXPECT_EQ(doubles(model.parameters().find("head.norm.bias")->value), before);
}

}  // namespace
}  // namespace ty::test
