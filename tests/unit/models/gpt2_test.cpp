#include <gtest/gtest.h>

#include <set>

#include "core/autograd/backward.h"
#include "core/base/error.h"
#include "core/nn/flat_parameters.h"
#include "core/ops/loss.h"
#include "core/ops/shape.h"
#include "models/linear/dense/dense.h"
#include "models/objective/chunked_loss.h"
#include "models/transformer/model.h"
#include "models/transformer/spec.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

std::int64_t count_parameters(const ModelSpec& config) {
  return Model(describe_model(config), LinearRules()).parameters().count();
}

// Published sizes: Radford et al. 2019 and the DistilGPT2 model card.
TEST(Gpt2, HasThePublishedParameterCounts) {
  EXPECT_EQ(count_parameters({}), 124'439'808);
  EXPECT_EQ(count_parameters({.layers = 6}), 81'912'576);
  EXPECT_EQ(count_parameters({.layers = 4}), 67'736'832);
  EXPECT_EQ(count_parameters({.layers = 24, .width = 1024, .heads = 16}), 354'823'168);
  EXPECT_EQ(count_parameters({.layers = 1, .tied = false}) - count_parameters({.layers = 1}),
            50257 * 768);
}

TEST(Gpt2, RefusesSizesThatDoNotFit) {
  EXPECT_EQ(message_of<ConfigError>([] { describe_model({.width = 10, .heads = 3}); }),
            "model.heads: 3 does not divide model.width 10");
  EXPECT_TRUE(contains(message_of<ConfigError>([] { describe_model({.heads = 0}); }),
                       "sizes must be positive: layers 12, width 768, heads 0"));
}

TEST(LinearRules, LastMatchWinsAndAnUnusedRuleIsAnError) {
  const ModelDescription model = describe_model({.layers = 2, .width = 4, .heads = 2, .vocab = 5});
  EXPECT_NO_THROW(
      Model(model, LinearRules({{"*", DenseSpec{}}, {"blocks.*.mlp.up", DenseSpec{}}})));
  try {
    Model(model, LinearRules({{"blocks.*.mpl.*", DenseSpec{}}}));
    FAIL();
  } catch (const ConfigError& e) {
    EXPECT_NE(
        std::string(e.what()).find("linear[0].match: \"blocks.*.mpl.*\" matches no linear layer"),
        std::string::npos);
    EXPECT_NE(std::string(e.what()).find("blocks.1.mlp.down"), std::string::npos);
  }
}

// A small model with memory, and one training pass through it.
class TinyGpt2 : public testing::Test {
 protected:
  ModelSpec config_ = {.layers = 2,
                       .width = 12,
                       .heads = 3,
                       .context = 7,
                       .vocab = 11,
                       .dropout = DropoutRates::all(0.2)};
  std::unique_ptr<Backend> backend_ = make_reference_backend();

  struct Pass {
    double loss;
    std::vector<double> gradients;
    std::int64_t activations;
  };
  Pass run(Recompute recompute, std::int64_t first, std::int64_t count, DType dtype = DType::f64,
           std::int64_t shards = 1) {
    Model model(describe_model(config_), LinearRules());
    FlatParameters flat(model.parameters(), plan_flat_layout(model.parameters(), 200, shards),
                        *backend_, {dtype, dtype});
    flat.initialise(1);
    const Tensor ids = random_ids(*backend_, {4, 6}, 11);
    const Tensor targets = random_ids(*backend_, {4, 6}, 11, "targets");
    const auto rows = [&](const Tensor& x) { return x.alias(x.view().slice(0, first, count)); };
    const Batch batch = {.first_sample = 100 + first,
                         .sequences = count,
                         .columns = {{Column::ids, rows(ids)}, {Column::targets, rows(targets)}}};
    const ForwardContext context = {.batch = batch, .training = true, .seed = 5, .step = 3};
    Flow out = model.forward(context, recompute);
    const auto live = backend_->memory().stats().of(MemoryClass::activation);
    const Tensor loss =
        backward_from_loss(model, *cross_entropy_objective(), std::move(out), batch, 1.0);
    Pass pass{loss.item(), {}, live};
    for (const Parameter& p : model.parameters().all()) {
      const auto grad = doubles(grad_of(p.value));
      pass.gradients.insert(pass.gradients.end(), grad.begin(), grad.end());
    }
    return pass;
  }
};

TEST_F(TinyGpt2, RecomputationChangesMemoryAndNotOneBit) {
  const Pass plain = run(Recompute::none, 0, 4);
  const Pass recomputed = run(Recompute::block, 0, 4);
  EXPECT_EQ(plain.loss, recomputed.loss);
  EXPECT_EQ(plain.gradients, recomputed.gradients);
  EXPECT_LT(recomputed.activations, plain.activations / 2);
  const Pass selective = run(Recompute::selective, 0, 4);
  EXPECT_EQ(plain.loss, selective.loss);
  EXPECT_EQ(plain.gradients, selective.gradients);
  EXPECT_LT(selective.activations, plain.activations * 4 / 5);
  EXPECT_GT(selective.activations, recomputed.activations);
}

TEST_F(TinyGpt2, DropoutAndGradientsDoNotDependOnHowTheBatchIsCut) {
  const Pass whole = run(Recompute::none, 0, 4);
  const Pass left = run(Recompute::none, 0, 1);
  const Pass right = run(Recompute::none, 1, 3);
  EXPECT_NEAR(whole.loss, left.loss + right.loss, 1e-11);
  for (std::size_t i = 0; i < whole.gradients.size(); ++i) {
    ASSERT_NEAR(whole.gradients[i], left.gradients[i] + right.gradients[i], 1e-11) << i;
  }
}

TEST_F(TinyGpt2, EachDropoutRateHasItsOwnPlace) {
  std::set<double> losses;
  for (const DropoutRates& rates :
       {DropoutRates{}, DropoutRates{.embedding = 0.3}, DropoutRates{.attention = 0.3},
        DropoutRates{.residual = 0.3}}) {
    config_.dropout = rates;
    losses.insert(run(Recompute::none, 0, 4).loss);
  }
  EXPECT_EQ(losses.size(), 4u);
}

TEST_F(TinyGpt2, InitialWeightsDoNotDependOnTheFlatLayout) {
  EXPECT_EQ(run(Recompute::none, 0, 4).loss, run(Recompute::none, 0, 4, DType::f64, 4).loss);
}

TEST_F(TinyGpt2, FreesEverythingItKeptForBackward) {
  run(Recompute::none, 0, 4);
  EXPECT_EQ(backend_->memory().stats().total_live, 0);
}

TEST_F(TinyGpt2, StartsNearTheUniformLoss) {
  EXPECT_NEAR(run(Recompute::none, 0, 4).loss / 24, std::log(11.0), 0.05);
}

TEST_F(TinyGpt2, RunsInBf16CloseToFp64) {
  const double wide = run(Recompute::none, 0, 4).loss;
  const double narrow = run(Recompute::none, 0, 4, DType::bf16).loss;
  EXPECT_NEAR(narrow, wide, 0.2);
  EXPECT_GT(std::abs(narrow - wide), 1e-6) << "no number was rounded";
}

}  // namespace
}  // namespace ty::test
