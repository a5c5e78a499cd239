// What tensor ranks send per layer of a transformer is what the layouts promise: T tokens per
// micro-batch, width h, rank r, t ranks, 4 bytes a number.
#include <gtest/gtest.h>

#include "launch/run/plan.h"
#include "launch/run/training_setup.h"

namespace ty::test {
namespace {

constexpr double kTokens = 2 * 48, kWidth = 96, kRank = 8;

// Bytes between tensor ranks, within layers or (over data x tensor) of gradients, of the given
// kinds of calls or of all.
double tensor_bytes(const Plan& plan, const std::vector<CommCall>& calls) {
  double sum = 0;
  for (const TrafficRow& row : plan.traffic) {
    const bool counts = std::find(calls.begin(), calls.end(), row.call) != calls.end();
    const bool is_shared = row.axis == "tensor" || row.axis == "data x tensor";
    if (is_shared && counts) sum += static_cast<double>(row.counts.bytes);
  }
  return sum;
}

double of_model(int layers, int ranks, config::Overrides overrides,
                const std::vector<CommCall>& calls) {
  overrides.insert(
      overrides.end(),
      {"data={sequence: 48, batch: 2}", fmt::format("parallel.tensor={}", ranks),
       fmt::format("model={{layers: {}, width: 96, heads: 12, context: 48, vocab: 50}}", layers)});
  const JobConfig job = load_job("", overrides);
  return tensor_bytes(make_plan(job, planned_model(job), ranks), calls);
}

// Of one block: what a model of three has more than one of two.
double per_block(int ranks, const config::Overrides& overrides,
                 const std::vector<CommCall>& calls) {
  return of_model(3, ranks, overrides, calls) - of_model(2, ranks, overrides, calls);
}

// Of what stands before and after the blocks.
double at_the_ends(int ranks, const config::Overrides& overrides,
                   const std::vector<CommCall>& calls) {
  return of_model(2, ranks, overrides, calls) - 2 * per_block(ranks, overrides, calls);
}

constexpr const char* kSvd = "linear=[{match: \"blocks.*\", kind: svd, rank: 8, layout: split}]";
constexpr const char* kHidden =
    "linear=[{match: \"blocks.*\", kind: svd, rank: 8, layout: hidden}]";
std::string ttm(const char* layout) {
  const auto rule = [&](const char* match, const char* in, const char* out) {
    return fmt::format("{{match: \"*.{}\", kind: ttm, in: {}, out: {}, rank: 4, layout: {}}}",
                       match, in, out, layout);
  };
  return fmt::format("linear=[{}, {}, {}, {}]", rule("attn.qkv", "[12, 8]", "[36, 8]"),
                     rule("attn.out", "[12, 8]", "[12, 8]"), rule("mlp.up", "[12, 8]", "[24, 16]"),
                     rule("mlp.down", "[24, 16]", "[12, 8]"));
}
const std::string kTtm = ttm("whole");

class Degrees : public testing::TestWithParam<int> {
 protected:
  const int ranks_ = GetParam();
  const double share_ = (ranks_ - 1.0) / ranks_;
};

TEST_P(Degrees, DenseLayersSendEightTimesTheHiddenStates) {
  const double wanted = 8 * kTokens * kWidth * share_ * 4;
  EXPECT_DOUBLE_EQ(per_block(ranks_, {}, {CommCall::all_reduce}), wanted);
  // With own rows the same, in halves of an all-reduce.
  EXPECT_DOUBLE_EQ(per_block(ranks_, {"parallel.sequence=true"},
                             {CommCall::all_gather, CommCall::reduce_scatter}),
                   wanted);
}

// q, k and v share the first factor.
TEST_P(Degrees, SvdLayersSendEightTimesTheirRank) {
  const double wanted = 8 * kTokens * kRank * share_ * 4;
  EXPECT_DOUBLE_EQ(per_block(ranks_, {kSvd}, {CommCall::all_reduce}), wanted);
  EXPECT_DOUBLE_EQ(per_block(ranks_, {kSvd, "parallel.sequence=true"},
                             {CommCall::all_gather, CommCall::reduce_scatter}),
                   wanted);
}

// What others call low-rank tensor parallelism: whole results cross ranks, of every layer.
TEST_P(Degrees, SvdLayersThatAreSplitByRankSendFourTimesWhatDenseOnesDo) {
  const char* by_rank = "linear=[{match: \"blocks.*\", kind: svd, rank: 12, layout: rank}]";
  EXPECT_DOUBLE_EQ(per_block(ranks_, {by_rank}, {CommCall::all_reduce}),
                   32 * kTokens * kWidth * share_ * 4);
}

// 4 T r of each layer, and of each norm two numbers per token from every rank and the sum of two:
// no hidden states. (q, k and v have one first factor; with one each it would be 24 T r.)
TEST_P(Degrees, HiddenSvdLayersSendSixteenTimesTheirRankAndStatisticsOfNorms) {
  EXPECT_DOUBLE_EQ(per_block(ranks_, {kHidden}, {CommCall::all_reduce}),
                   (16 * kTokens * kRank + 2 * 4 * kTokens) * share_ * 4);
  EXPECT_DOUBLE_EQ(per_block(ranks_, {kHidden}, {CommCall::all_gather}),
                   2 * 2 * kTokens * ranks_ * share_ * 4);
  EXPECT_EQ(per_block(ranks_, {kHidden}, {CommCall::reduce_scatter, CommCall::send}), 0);
  // In bf16 half of it, but for the norms'.
  EXPECT_DOUBLE_EQ(per_block(ranks_, {kHidden, "precision.compute=bf16"}, {CommCall::all_reduce}),
                   (16 * kTokens * kRank * 2 + 2 * 4 * kTokens * 4) * share_);
}

// The table gives own columns, a tied head gathers them, each 2 T h; a norm before the head.
TEST_P(Degrees, AroundHiddenLayersTheVocabularySendsHiddenStates) {
  EXPECT_NEAR(at_the_ends(ranks_, {kHidden}, {CommCall::all_reduce}),
              (2 * kTokens + 4 * kTokens) * share_ * 4 + 16 * share_, 4);
  EXPECT_DOUBLE_EQ(at_the_ends(ranks_, {kHidden}, {CommCall::all_gather, CommCall::reduce_scatter}),
                   (4 * kTokens * kWidth + 2 * kTokens * ranks_ + kTokens * ranks_) * share_ * 4);
  const char* head = "linear=[{match: \"*\", kind: svd, rank: 8, layout: hidden}]";
  EXPECT_NEAR(at_the_ends(ranks_, {head}, {CommCall::all_reduce}),
              (2 * 4 * kTokens * kRank + 2 * kTokens + 4 * kTokens) * share_ * 4 + 16 * share_, 4);
}

TEST_P(Degrees, WholeTensorTrainsSendAPartOfWhatDenseLayersDo) {
  const double wanted = 8 * kTokens * kWidth / ranks_ * share_ * 4;
  EXPECT_DOUBLE_EQ(per_block(ranks_, {kTtm, "parallel.sequence=true"}, {CommCall::send}), wanted);
  EXPECT_EQ(per_block(ranks_, {kTtm, "parallel.sequence=true"},
                      {CommCall::all_gather, CommCall::reduce_scatter}),
            0);
}

// And the gradients of the cores that all ranks hold, once per step.
TEST_P(Degrees, TensorTrainsThatAreSplitSendWhatDenseLayersDo) {
  const double passes = 8 * kTokens * kWidth * share_ * 4;
  const double cores = 4 * (8 * 8 + 8 * 8 + 8 * 16 + 16 * 8);
  EXPECT_NEAR(per_block(ranks_, {ttm("split")}, {CommCall::all_reduce}),
              passes + 2 * cores * share_ * 4, 8);
  EXPECT_DOUBLE_EQ(per_block(ranks_, {ttm("split"), "parallel.sequence=true"},
                             {CommCall::all_gather, CommCall::reduce_scatter}),
                   passes);
}

// Of an MLP of two whole svd layers only gradients cross, once per step; the same job by hand or by
// the model of costs.
TEST_P(Degrees, WhatIsChosenForSmallFactorsSendsNothingInAnMlp) {
  const auto mlp = [](const char* layout) {
    return fmt::format("linear=[{{match: \"*.mlp.*\", kind: svd, rank: 8, layout: {}}}]", layout);
  };
  const std::vector<CommCall> moved = {CommCall::send, CommCall::all_gather,
                                       CommCall::reduce_scatter};
  for (const char* layout : {"auto", "whole"}) {
    EXPECT_DOUBLE_EQ(per_block(ranks_, {mlp(layout), "parallel.sequence=true"}, moved),
                     4 * kTokens * kWidth * share_ * 4)
        << layout;
  }
}

// All ranks do the same work: gradients of x add up before qkv and up; out and down gather x.
TEST_P(Degrees, WholeLayersOnAllTokensGatherTheirColumns) {
  const std::string whole = "linear=[{match: \"blocks.*\", kind: dense, layout: whole}]";
  EXPECT_DOUBLE_EQ(per_block(ranks_, {whole}, {CommCall::all_gather}),
                   (kTokens * kWidth + kTokens * 4 * kWidth) * share_ * 4);
}

// The table and the tied head 2 T h each; the loss two numbers per token, one of them gathered; the
// norm of the gradient one in fp64.
TEST_P(Degrees, TheVocabularySendsHiddenStatesAndTwoNumbersPerToken) {
  for (const char* terms : {"task.z_loss=0", "task={label_smoothing: 0.1, z_loss: 1e-4}"}) {
    EXPECT_NEAR(at_the_ends(ranks_, {terms}, {CommCall::all_reduce}),
                (4 * kTokens * kWidth + 2 * kTokens) * share_ * 4 + 16 * share_, 4)
        << terms;
    EXPECT_DOUBLE_EQ(at_the_ends(ranks_, {terms}, {CommCall::all_gather}),
                     kTokens * (ranks_ - 1) * 4)
        << terms;
    EXPECT_DOUBLE_EQ(at_the_ends(ranks_, {terms, "parallel.sequence=true"},
                                 {CommCall::all_gather, CommCall::reduce_scatter}),
                     4 * kTokens * kWidth * share_ * 4 + kTokens * (ranks_ - 1) * 4)
        << terms;
  }
}

// A replay takes what crossed ranks from memory.
TEST_P(Degrees, RecomputationSendsNothingMore) {
  const std::vector<CommCall> all(kCommCalls.begin(), kCommCalls.end());
  for (const char* mode : {"parallel.recompute=block", "parallel.recompute=selective"}) {
    EXPECT_EQ(per_block(ranks_, {kHidden, mode}, all), per_block(ranks_, {kHidden}, all));
    for (const std::string& kind : {std::string(kSvd), kTtm}) {
      EXPECT_EQ(per_block(ranks_, {kind, "parallel.sequence=true", mode}, all),
                per_block(ranks_, {kind, "parallel.sequence=true"}, all));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, Degrees, testing::Values(2, 3, 4));

}  // namespace
}  // namespace ty::test
