#include <gtest/gtest.h>

#include <cmath>

#include "core/autograd/graph.h"
#include "core/base/random.h"
#include "optim/learning_rate.h"
#include "optim/optimizer.h"
#include "tests/support/counting_backend.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

TEST(LearningRate, WarmsUpThenFollowsItsShape) {
  LearningRateSchedule s{
      .kind = LearningRateKind::cosine, .peak = 1.0, .floor = 0.1, .warmup = 4, .steps = 104};
  EXPECT_DOUBLE_EQ(learning_rate(s, 0), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate(s, 3), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(s, 4), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(s, 103), 0.1);
  s.kind = LearningRateKind::linear;
  s.steps = 105;
  EXPECT_DOUBLE_EQ(learning_rate(s, 54), 0.55);
  s.kind = LearningRateKind::constant;
  EXPECT_DOUBLE_EQ(learning_rate(s, 90), 1.0);
  s.kind = LearningRateKind::wsd;
  s.decay = 10;
  EXPECT_DOUBLE_EQ(learning_rate(s, 94), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(s, 99), 0.55);
  EXPECT_DOUBLE_EQ(learning_rate(s, 104), 0.1);
}

TEST(LearningRate, OfOneStepIsFinite) {
  for (auto kind : {LearningRateKind::constant, LearningRateKind::linear, LearningRateKind::cosine,
                    LearningRateKind::wsd}) {
    EXPECT_TRUE(std::isfinite(learning_rate({.kind = kind, .peak = 1, .steps = 1, .decay = 1}, 0)));
  }
}

class OptimizerTest : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend();
  ParameterStore store_;
  std::unique_ptr<FlatParameters> flat_;

  void SetUp() override {
    store_.declare("w", {3}, Init::normal(1.0));
    store_.declare("b", {2}, Init::constant(0.5));
  }
  void build(FlatOptions dtypes = {}) {
    flat_ = std::make_unique<FlatParameters>(store_, plan_flat_layout(store_, 1 << 20, 1),
                                             *backend_, dtypes);
    flat_->initialise(3);
  }
  void set_gradients(double value) { backend_->fill(flat_->gradients().view(), value); }
  std::vector<Piece> everything() {
    return pieces_in(flat_->layout(), flat_->layout().bucket_ranges());
  }
  static UpdateOptions decay(const Parameter& p) {
    return {.weight_decay = p.name == "w" ? 0.1 : 0.0};
  }
};

// Without rate, decay, moments; a low-precision copy and the rounding of 16-bit weights as of
// others.
TEST_F(OptimizerTest, ASumLosesItsGradientAsItIs) {
  const auto options_of = [](const Parameter& p) {
    return UpdateOptions{.rate = 3.0, .weight_decay = 0.1, .is_sum = p.name == "w"};
  };
  build({DType::bf16, DType::f32});
  const auto adamw = make_adamw(*flat_, everything(), options_of, {});
  const std::vector<double> before = doubles(flat_->weight_of(0));
  set_gradients(0.25);
  for (int step = 1; step <= 2; ++step) {
    adamw->step({.learning_rate = 0.01, .gradient_scale = 0.5, .step = step});
  }
  const std::vector<double> after = doubles(flat_->weight_of(0));
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after[i], static_cast<float>(before[i]) - 0.125F - 0.125F);
    EXPECT_EQ(doubles(store_.find("w")->value)[i],
              static_cast<double>(static_cast<float>(bf16(static_cast<float>(after[i])))));
  }
  for (const Optimizer::State& state : adamw->states()) {
    EXPECT_EQ(doubles(state.flat)[0], 0.0) << state.name;
    EXPECT_NE(doubles(state.flat)[4], 0.0) << state.name;
  }
}

TEST_F(OptimizerTest, AdamWFollowsThePublishedFormula) {
  build({DType::f64, DType::f64});
  const auto adamw =
      make_adamw(*flat_, everything(), decay, {.beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8});
  const double w0 = doubles(flat_->weight_of(0))[0];
  double w = w0, m = 0, v = 0, b = 0.5, mb = 0, vb = 0;
  for (int step = 1; step <= 3; ++step) {
    const double g = 0.3 * step;
    set_gradients(g);
    adamw->step({.learning_rate = 0.01, .gradient_scale = 0.5, .step = step});
    const auto advance = [&](double& x, double& first, double& second, double lambda) {
      const double scaled = 0.5 * g;
      first = 0.9 * first + 0.1 * scaled;
      second = 0.99 * second + 0.01 * scaled * scaled;
      const double mhat = first / (1 - std::pow(0.9, step));
      const double vhat = second / (1 - std::pow(0.99, step));
      x -= 0.01 * (mhat / (std::sqrt(vhat) + 1e-8) + lambda * x);
    };
    advance(w, m, v, 0.1);
    advance(b, mb, vb, 0.0);
    EXPECT_NEAR(doubles(flat_->weight_of(0))[0], w, 1e-12);
    EXPECT_NEAR(doubles(flat_->weight_of(1))[0], b, 1e-12);
  }
}

TEST_F(OptimizerTest, SgdAddsMomentumAndDecay) {
  build({DType::f64, DType::f64});
  const auto sgd = make_sgd(*flat_, everything(), decay, {.momentum = 0.9});
  double w = doubles(flat_->weight_of(0))[1], velocity = 0;
  for (int step = 1; step <= 3; ++step) {
    set_gradients(1.0);
    sgd->step({.learning_rate = 0.1, .step = step});
    velocity = 0.9 * velocity + 1.0 + 0.1 * w;
    w -= 0.1 * velocity;
    EXPECT_NEAR(doubles(flat_->weight_of(0))[1], w, 1e-12);
  }
  EXPECT_TRUE(make_sgd(*flat_, everything(), decay, {})->states().empty());
}

TEST_F(OptimizerTest, MasterWeightsKeepWhatBf16WouldRoundAway) {
  build({.compute = DType::bf16, .weights = DType::f32});
  const auto sgd =
      make_sgd(*flat_, everything(), [](const Parameter&) { return UpdateOptions(); }, {});
  for (int step = 1; step <= 64; ++step) {
    set_gradients(1.0);
    sgd->step({.learning_rate = 1e-4, .step = step});
  }
  EXPECT_NEAR(doubles(flat_->weight_of(1))[0], 0.5 - 64e-4, 1e-6);
  EXPECT_NEAR(doubles(store_.find("b")->value)[0], 0.5 - 64e-4, 0.5 / 256);
  EXPECT_LT(doubles(store_.find("b")->value)[0], 0.5 - 32e-4);
}

TEST_F(OptimizerTest, SixteenBitWeightsFollowStepsBelowTheirSpacing) {
  for (const DType weights : {DType::bf16, DType::f16}) {
    ParameterStore store;
    store.declare("w", {1000}, Init::constant(0.5));
    FlatParameters flat(store, plan_flat_layout(store, 1 << 20, 1), *backend_,
                        {.compute = DType::f32, .weights = weights});
    flat.initialise(3);
    backend_->fill(flat.gradients().view(), 1.0);
    const auto pieces = pieces_in(flat.layout(), flat.layout().bucket_ranges());
    const auto sgd = make_sgd(flat, pieces, [](const Parameter&) { return UpdateOptions(); }, {});
    for (int step = 1; step <= 64; ++step) sgd->step({.learning_rate = 1e-4, .step = step});
    double sum = 0;
    for (const double w : doubles(flat.weight_of(0))) sum += w;
    EXPECT_NEAR(sum / 1000, 0.5 - 64e-4, 4e-4) << name_of(weights);
    EXPECT_EQ(doubles(store.find("w")->value), doubles(flat.weight_of(0)));
  }
}

TEST_F(OptimizerTest, PiecesOfTwoHalvesUpdateLikeTheWhole) {
  build({DType::f64, DType::f64});
  set_gradients(0.7);
  make_adamw(*flat_, everything(), decay, {})->step({.learning_rate = 0.1});
  const auto whole = doubles(flat_->weights());
  flat_->initialise(3);
  const std::int64_t half = flat_->layout().size / 2;
  for (std::int64_t first : {std::int64_t{0}, half}) {
    const auto part = make_adamw(*flat_, pieces_in(flat_->layout(), {{first, half}}), decay, {});
    part->step({.learning_rate = 0.1});
  }
  EXPECT_EQ(doubles(flat_->weights()), whole);
}

TEST_F(OptimizerTest, ARateOfItsOwnMultipliesTheLearningRate) {
  const auto trained = [&](bool sgd, double rate, double learning_rate) {
    build({DType::f64, DType::f64});
    set_gradients(0.25);
    const auto options_of = [&](const Parameter&) {
      return UpdateOptions{.rate = rate, .weight_decay = 0.1};
    };
    const auto optimizer = sgd ? make_sgd(*flat_, everything(), options_of, {.momentum = 0.9})
                               : make_adamw(*flat_, everything(), options_of, {});
    optimizer->step({.learning_rate = learning_rate});
    return doubles(flat_->weights());
  };
  for (const bool sgd : {false, true}) {
    EXPECT_EQ(trained(sgd, 0.25, 0.5), trained(sgd, 1.0, 0.125));
    EXPECT_NE(trained(sgd, 0.25, 0.5), trained(sgd, 0.0, 0.5));
    build({DType::f64, DType::f64});
    EXPECT_EQ(trained(sgd, 0.0, 0.5), doubles(flat_->weights()));
  }
}

// Of the parameters the second to fourth decay, a gap after the third, and the last one's rate is
// its own: one kernel call for each run of neighbours that are updated alike, and the bits of one
// call per parameter.
TEST(Runs, OfNeighboursThatAreUpdatedAlikeAreUpdatedAtOnceAndToTheBit) {
  CountingBackend counting;
  const auto cpu = make_cpu_backend();
  const auto options_of = [](const Parameter& p) {
    return UpdateOptions{.rate = p.name == "c" ? 0.5 : 1.0,
                         .weight_decay = p.shape.rank() > 1 ? 0.1 : 0.0};
  };
  const auto train = [&](Backend& backend, bool merged, bool sgd, FlatOptions dtypes) {
    ParameterStore store;
    store.declare("a", {16}, Init::normal(1));
    store.declare("w", {32, 5}, Init::normal(1));
    store.declare("w2", {8, 3, 3}, Init::normal(1));  // ends inside of a cache line: a gap
    store.declare("w3", {16, 3}, Init::normal(1));
    store.declare("b", {48}, Init::normal(1));
    store.declare("b2", {32}, Init::normal(1));
    store.declare("c", {37}, Init::normal(1));
    FlatParameters flat(store, plan_flat_layout(store, 1 << 20, 1), backend, dtypes);
    flat.initialise(3);
    const auto all = pieces_in(flat.layout(), flat.layout().bucket_ranges());
    std::vector<std::unique_ptr<Optimizer>> optimizers;
    const auto add = [&](const std::vector<Piece>& pieces) {
      optimizers.push_back(sgd ? make_sgd(flat, pieces, options_of, {.momentum = 0.9})
                               : make_adamw(flat, pieces, options_of, {}));
    };
    if (merged) {
      add(all);
    } else {
      for (const Piece& piece : all) add({piece});
    }
    for (int step = 1; step <= 3; ++step) {
      backend.random_normal(flat.gradients().view().reshape({1, flat.layout().trained}),
                            RandomStream(5, site_id("g"), static_cast<std::uint64_t>(step)), 0, 0,
                            1.0);
      for (const auto& optimizer : optimizers) {
        optimizer->step({.learning_rate = 0.1, .gradient_scale = 0.7, .step = step, .seed = 2});
      }
    }
    std::vector<double> weights;
    for (std::size_t i = 0; i < store.all().size(); ++i) {
      for (const double w : doubles(flat.weight_of(i))) weights.push_back(w);
      for (const double w : doubles(store.all()[i].value)) weights.push_back(w);
    }
    return weights;
  };
  for (const bool sgd : {false, true}) {
    for (const FlatOptions dtypes :
         {FlatOptions{}, FlatOptions{.compute = DType::bf16}, FlatOptions{DType::f64, DType::f64},
          FlatOptions{.compute = DType::f32, .weights = DType::bf16}}) {
      EXPECT_EQ(train(*cpu, true, sgd, dtypes), train(*cpu, false, sgd, dtypes));
    }
    counting.updates = 0;
    train(counting, true, sgd, {});
    EXPECT_EQ(counting.updates, 3 * 5);  // a | w, w2 | w3 | b, b2 | c; one per parameter: 3 * 7
  }
}

TEST(Clip, ScalesOnlyWhatIsTooLong) {
  EXPECT_EQ(clip_factor(0.5, 1.0), 1.0);
  EXPECT_EQ(clip_factor(5.0, 0.0), 1.0);
  EXPECT_NEAR(clip_factor(4.0, 1.0), 0.25, 1e-6);
}

}  // namespace
}  // namespace ty::test
