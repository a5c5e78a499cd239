// Rules on a model: what they choose, and what they say when that cannot be.
#include <gtest/gtest.h>

#include <chrono>

#include "core/base/error.h"
#include "models/linear/dense/dense.h"
#include "models/linear/kronecker/kronecker.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "models/transformer/model.h"
#include "models/transformer/spec.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

const ModelSpec kSmall = {.layers = 1, .width = 12, .heads = 2, .context = 4, .vocab = 11};

std::string refusal(const std::vector<LinearRule>& rules, bool tied = true) {
  ModelSpec config = kSmall;
  config.tied = tied;
  return message_of<ConfigError>([&] { Model(describe_model(config), LinearRules(rules)); });
}
const LinearRule kDense = {"*", DenseSpec{}};

TEST(LinearRules, RefusalsNameRuleMapValuesAndWhatWouldBeRight) {
  EXPECT_EQ(refusal({kDense, {"*.up", TtmSpec{.in = {2, 3}, .out = {6, 8}, .rank = 4}}}),
            "linear[1]: blocks.0.mlp.up [12, 48]: ttm: in modes [2, 3] multiply to 6, but the "
            "layer has 12 in features; the product must be 12 or more");
  EXPECT_EQ(refusal({kDense, {"*.up", TtmSpec{.in = {4, 6}, .out = {6, 8}, .rank = 4}}}),
            "linear[1]: blocks.0.mlp.up [12, 48]: ttm: in modes [4, 6] multiply to 24, twice the "
            "layer's 12 in features or more; want a product from 12 to 23");
  EXPECT_EQ(refusal({{"*.up", TtmSpec{.in = {3, 4}, .out = {6}, .rank = 4}}}),
            "linear[0]: blocks.0.mlp.up [12, 48]: ttm: out: [6] has 1 mode, but in = [3, 4] has 2; "
            "state one of each per core, or neither");
  EXPECT_EQ(refusal({{"*.up", TtmSpec{.in = {3, 4}, .out = {6, 8}, .ranks = {2, 3}}}}),
            "linear[0]: blocks.0.mlp.up [12, 48]: ttm: ranks: [2, 3] has 2, but 2 cores have 1 "
            "inner bond");
  EXPECT_EQ(refusal({{"*.up", TtmSpec{}}}),
            "linear[0]: blocks.0.mlp.up [12, 48]: ttm: rank: missing or 0; state rank >= 1, or "
            "ranks, or keep");
  EXPECT_EQ(refusal({{"*.up", TtmSpec{.rank = 4, .keep = 0.5}}}),
            "linear[0]: blocks.0.mlp.up [12, 48]: ttm: keep: 0.5 beside rank = 4; state one of "
            "them");
  EXPECT_EQ(refusal({{"*.up", SvdSpec{.keep = 1.5}}}),
            "linear[0]: blocks.0.mlp.up [12, 48]: svd: keep: 1.5 is no share of the dense weights; "
            "want above 0 and at most 1");
  EXPECT_EQ(refusal({{"*.up", SvdSpec{.keep = 0.01}}}),
            "linear[0]: blocks.0.mlp.up [12, 48]: keep = 0.01 allows 5 weights, but svd rank 1 "
            "has 60; want 0.1042 or more");
  EXPECT_EQ(
      refusal({{"*.up", TtmSpec{.keep = 0.01}}}),
      "linear[0]: blocks.0.mlp.up [12, 48]: keep = 0.01 allows 5 weights, but ttm in [3, 4, 1] "
      "out [3, 4, 4] ranks [1, 1] has 29; want 0.0504 or more");
  EXPECT_EQ(refusal({{"*.up", SvdSpec{.rank = 13}}}),
            "linear[0]: blocks.0.mlp.up [12, 48]: svd: rank 13 of a [12, 48] matrix; want 1 to 12");
  EXPECT_EQ(
      refusal({{"*.up", TtmSpec{.in = {3, 4}, .out = {6, 8}, .rank = std::int64_t{1} << 50}}}),
      "linear[0]: blocks.0.mlp.up [12, 48]: ttm: in [3, 4] out [6, 8] ranks "
      "[1125899906842624] has more than 1099511627776 weights; lower the ranks");
  const std::vector<std::int64_t> ten = {2, 2, 3, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_EQ(refusal({{"*.up", TtmSpec{.in = ten, .out = ten, .rank = 1}}}),
            "linear[0]: blocks.0.mlp.up [12, 48]: ttm: 10 modes a side; at most 8 cores can be "
            "computed");
  EXPECT_EQ(
      refusal({{"embeddings.*", KroneckerSpec{.terms = 1}}}),
      "linear[0]: embeddings.token [11, 12]: a token table can be dense, svd, ttm or "
      "row_trains, not kronecker; add a rule {match: embeddings.token, kind: dense} after it");
  EXPECT_TRUE(refusal({{"head.linear", SvdSpec{.rank = 2}}})
                  .starts_with("linear[0].match: \"head.linear\" matches no linear layer; there "
                               "are: embeddings.token, "));
  EXPECT_EQ(refusal({{"blocks.{1..4}.*", DenseSpec{}}}),
            "linear[0].match: \"blocks.{1..4}.*\" matches no linear layer; there are: "
            "embeddings.token, blocks.0.attn.qkv, blocks.0.attn.out, blocks.0.mlp.up, "
            "blocks.0.mlp.down");
  EXPECT_NO_THROW(Model(describe_model([] {
                          auto c = kSmall;
                          c.tied = false;
                          return c;
                        }()),
                        LinearRules({{"head.*", TtmSpec{.rank = 2}}})));
}

TEST(LinearRules, ARuleOfAFileIsCalledByItsKey) {
  EXPECT_EQ(refusal({{"*.up", SvdSpec{.rank = 13}, "trainyard_linear.up"}}),
            "trainyard_linear.up: blocks.0.mlp.up [12, 48]: svd: rank 13 of a [12, 48] matrix; "
            "want 1 to 12");
}

TEST(LinearRules, LaterRulesWinWhetherTheyNameOneMapOrSeveral) {
  const LinearShape shape = {.in = 12, .out = 48};
  const auto rank_of = [&](const LinearRules& rules) {
    return rules.choose("blocks.0.mlp.up", shape).as<SvdSpec>()->rank;
  };
  const LinearRule plain = {"blocks.0.mlp.up", SvdSpec{.rank = 1}},
                   pattern = {"*.up", SvdSpec{.rank = 2}};
  EXPECT_EQ(rank_of(LinearRules({plain, pattern})), 2);
  EXPECT_EQ(rank_of(LinearRules({pattern, plain})), 1);
  EXPECT_EQ(rank_of(LinearRules({pattern, plain, {"blocks.1.*", SvdSpec{.rank = 3}}})), 1);
  EXPECT_EQ(rank_of(LinearRules({plain, {"blocks.0.mlp.up", SvdSpec{.rank = 4}}})), 4);
}

// A stored model of 1000 blocks has a rule for each of its 4001 layers.
TEST(LinearRules, OfADeepModelTakeTimeThatGrowsWithTheirNumber) {
  ModelSpec deep = kSmall;
  deep.layers = 1000;
  for (std::int64_t i = 0; i < deep.layers; ++i) {
    for (const char* layer : {"attn.qkv", "attn.out", "mlp.up", "mlp.down"}) {
      deep.linear.push_back({fmt::format("blocks.{}.{}", i, layer), SvdSpec{.rank = 2}});
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const Model model(describe_model(deep), LinearRules(deep.linear));
  EXPECT_EQ(model.parameters().count(),
            1000 * (2 * (48 + 24 + 60 + 60) + 36 + 12 + 48 + 12 + 48) + 17 * 12);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(LinearRules, SharesAreUpperLimitsOfTheWeights) {
  const LinearShape shape = {.in = 768, .out = 3072};
  for (const double keep : {0.005, 0.03, 0.1, 0.3, 0.5, 0.9, 1.0}) {
    const auto most = keep * 768 * 3072;
    for (const LinearSpec& spec :
         {LinearSpec{SvdSpec{.keep = keep}}, LinearSpec{TtmSpec{.keep = keep}},
          LinearSpec{TtmSpec{.cores = 2, .keep = keep}}}) {
      const auto weights = static_cast<double>(num_weights(resolved(spec, shape), shape));
      EXPECT_LE(weights, most) << describe(resolved(spec, shape));
      EXPECT_GT(weights, 0.7 * most) << describe(resolved(spec, shape));
    }
  }
}

TEST(LinearRules, ExactRulesBuildTheSameModelAgain) {
  const std::vector<LinearRule> rules = {{"*", SvdSpec{.keep = 0.5}},
                                         {"*.mlp.*", TtmSpec{.keep = 0.4}},
                                         {"*.attn.out", TtmSpec{.cores = 1, .rank = 1}},
                                         {"*.down", DenseSpec{}}};
  const Model model(describe_model(kSmall), LinearRules(rules));
  const Model again(describe_model(kSmall), LinearRules(exact_rules(model.linear_sites())));
  ASSERT_EQ(again.linear_sites().size(), model.linear_sites().size());
  for (std::size_t i = 0; i < again.linear_sites().size(); ++i) {
    EXPECT_EQ(again.linear_sites()[i].spec, model.linear_sites()[i].spec);
  }
}

}  // namespace
}  // namespace ty::test
