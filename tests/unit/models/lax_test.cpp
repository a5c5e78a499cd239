// Latents that cross blocks: what a lax layer makes of the one before, and who hands it on.
#include "models/linear/lax/lax.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/nn/flat_parameters.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "models/families/family.h"
#include "models/linear/base/pass.h"
#include "models/transformer/kv_cache.h"
#include "models/transformer/model.h"
#include "models/transformer/spec.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

LaxSpec lax(std::int64_t rank) { return {SvdSpec{.rank = rank}}; }

TEST(Lax, NamesALayerByItsPlaceInTheBlock) {
  EXPECT_EQ(path_in_block("blocks.3.mlp.up"), "mlp.up");
  EXPECT_EQ(path_in_block("encoder.blocks.11.attn.qkv"), "attn.qkv");
  EXPECT_EQ(path_in_block("head.transform"), "");
  EXPECT_EQ(path_in_block("blocks.3"), "");
}

TEST(Lax, CountsItsGateAmongTheWeightsThatItMayKeep) {
  const LinearShape shape = {.in = 32, .out = 96};
  const LaxSpec half = resolved(LaxSpec{SvdSpec{.keep = 0.5}}, shape);
  EXPECT_EQ(half.svd.rank, 11) << "of 129 numbers each; 12 are more than 1536";
  EXPECT_EQ(resolved(half, shape), half);
  EXPECT_EQ(message_of<ConfigError>([&] { resolved(LaxSpec{SvdSpec{.keep = 1e-4}}, shape); }),
            "keep = 0.0001 allows 0 weights, but lax rank 1 has 129; want 0.042 or more");
  EXPECT_EQ(message_of<ConfigError>([&] { resolved(lax(33), shape); }),
            "lax: rank 33 of a [32, 96] matrix; want 1 to 32");
}

TEST(Lax, AddsTheGatedLatentOfTheLayerBefore) {
  const auto backend = make_reference_backend();
  const LinearShape shape = {.in = 7, .out = 5};
  ParameterStore store;
  const auto layer =
      make_linear(Scope(store, "blocks.1.mlp.up"), shape, resolved(lax(3), shape), Split::none, {});
  FlatParameters flat(store, plan_flat_layout(store, 1 << 20, 1), *backend,
                      {DType::f64, DType::f64});
  flat.initialise(3);
  const auto value = [&](const char* name) {
    return store.find(std::string("blocks.1.mlp.up.") + name)->value.detach();
  };
  EXPECT_EQ(doubles(value("gate")), std::vector<double>(3, 1.0));
  backend->copy(value("gate").view(), random_tensor(*backend, {3}, "gate").view());
  const NoGrad no_grad;
  const Tensor x = random_tensor(*backend, {2, 4, 7}, "x");
  const Tensor before = random_tensor(*backend, {2, 4, 3}, "before");
  Latents latents = {{{"mlp.up", before}, {"mlp.down", before}}, {}};
  const Tensor y = layer->forward_in(x, {.latents = &latents});
  const Tensor own = matmul(x, value("a"));
  const Tensor wanted =
      add(matmul(add(own, mul(before, value("gate"))), value("b")), value("bias"));
  const auto got = doubles(y), expected = doubles(wanted);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-14);
  ASSERT_EQ(latents.made.size(), 1u);
  EXPECT_EQ(doubles(latents.made.at("mlp.up")), doubles(own)) << "its own, before the gate";
}

// A model of 3 blocks with memory.
class LaxModel : public testing::Test {
 protected:
  static constexpr std::int64_t kTokens = 6;
  struct Built {
    Built(Backend& backend, const std::vector<LinearRule>& rules)
        : model(describe_model({.layers = 3, .width = 8, .heads = 2, .context = 8, .vocab = 11}),
                LinearRules(rules)),
          flat(model.parameters(), plan_flat_layout(model.parameters(), 1 << 20, 1), backend,
               {DType::f64, DType::f64}) {
      flat.initialise(4);
    }
    void fill(const char* name, double value) {
      const Tensor to = model.parameters().find(name)->value.detach();
      to.backend().fill(to.view(), value);
    }
    Model model;
    FlatParameters flat;
  };
  std::unique_ptr<Backend> backend_ = make_reference_backend();
  const Tensor ids_ = random_ids(*backend_, {2, kTokens}, 11);

  Tensor logits(const Built& built, const Tensor& ids, KvCache* cache = nullptr) const {
    const NoGrad no_grad;
    const Batch batch = {.sequences = ids.dim(0), .columns = {{Column::ids, ids}}};
    return built.model.readout().logits(
        built.model.forward({.batch = batch, .cache = cache}).hidden);
  }
  std::vector<double> of(const Built& built) const { return doubles(logits(built, ids_)); }
};

// With gates of 0 it is svd; the first block has nobody before it.
TEST_F(LaxModel, IsSvdWithoutItsGates) {
  const char* const kLayers = "blocks.*.mlp.*";
  Built crossed(*backend_, {{kLayers, lax(3)}}), plain(*backend_, {{kLayers, SvdSpec{.rank = 3}}});
  const std::vector<double> wanted = of(plain);
  EXPECT_NE(of(crossed), wanted);
  for (const char* gate : {"blocks.1.mlp.up.gate", "blocks.1.mlp.down.gate", "blocks.2.mlp.up.gate",
                           "blocks.2.mlp.down.gate"}) {
    EXPECT_NE(of(crossed), wanted);
    crossed.fill(gate, 0.0);
  }
  const std::vector<double> closed = of(crossed);
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(closed[i], wanted[i], 1e-13);
}

TEST_F(LaxModel, ReadsOnlyLayersOfItsNameAndRank) {
  Built other(
      *backend_,
      {{"blocks.0.mlp.up", lax(3)}, {"blocks.1.mlp.up", lax(2)}, {"blocks.2.mlp.down", lax(2)}});
  const std::vector<double> before = of(other);
  for (const char* gate :
       {"blocks.0.mlp.up.gate", "blocks.1.mlp.up.gate", "blocks.2.mlp.down.gate"}) {
    other.fill(gate, 5.0);
  }
  EXPECT_EQ(of(other), before);
  Built same(*backend_, {{"blocks.{1..2}.mlp.up", lax(3)}});
  const std::vector<double> linked = of(same);
  same.fill("blocks.2.mlp.up.gate", 5.0);
  EXPECT_NE(of(same), linked);
}

TEST_F(LaxModel, SaysWhatCrossesABorder) {
  const Built built(*backend_, {{"blocks.{1..2}.*", lax(3)}, {"blocks.2.mlp.up", lax(2)}});
  const auto entering = [&](std::size_t block) {
    return built.model.shapes_entering_block(block, 2, [](Column) { return kTokens; });
  };
  const Shape hidden = {2, kTokens, 8}, latent = {2, kTokens, 3};
  EXPECT_EQ(entering(1), std::vector<Shape>{hidden});
  EXPECT_EQ(entering(2), std::vector<Shape>{hidden});
  EXPECT_EQ(entering(3), (std::vector<Shape>{hidden, latent, latent, latent}))
      << "attn.out, attn.qkv, mlp.down";
  EXPECT_EQ(entering(4), std::vector<Shape>{hidden});
}

// A token's latent comes from the same token, so what a cache holds need not be read again.
TEST_F(LaxModel, GoesOnFromACache) {
  const Built built(*backend_, {{"blocks.*", lax(3)}});
  const std::vector<double> all = of(built);
  KvCache cache(2, 8);
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return ids_.alias(ids_.view().slice(1, first, count)).contiguous();
  };
  (void)logits(built, part(0, 4), &cache);
  cache.advance(std::vector<std::int64_t>{4, 4});
  const std::vector<double> rest = doubles(logits(built, part(4, 2), &cache));
  for (std::int64_t b = 0; b < 2; ++b) {
    for (std::int64_t i = 0; i < 2 * 11; ++i) {
      EXPECT_NEAR(rest[static_cast<std::size_t>(b * 22 + i)],
                  all[static_cast<std::size_t>((b * kTokens + 4) * 11 + i)], 1e-12);
    }
  }
}

TEST(Lax, IsRefusedWhereNoBlockComesBefore) {
  const auto message = [](const ModelSpec& spec, const char* match) {
    return message_of<ConfigError>([&] {
      Model(describe_model(spec), LinearRules({{match, lax(3)}}));
    });
  };
  const ModelSpec gpt2 = {.layers = 2, .width = 8, .heads = 2, .vocab = 11, .tied = false};
  EXPECT_EQ(message(gpt2, "head.linear"),
            "linear: a lax layer lies outside of blocks, where none before it hands a latent on; "
            "want svd there");
  ModelSpec bart = find_family("bart")->start;
  bart.width = 8;
  bart.heads = 2;
  EXPECT_EQ(
      message(bart, "blocks.*.cross.kv"),
      "linear: blocks.0.cross.kv reads what the encoder returned, of which no lax layer hands "
      "latents on; want svd there");
}

}  // namespace
}  // namespace ty::test
