// What tensor ranks send per layer of a transformer is what the layouts promise: T tokens per
// micro-batch, width h, rank r, t ranks, 4 bytes a number.
#include <gtest/gtest.h>

#include "launch/run/plan.h"
#include "launch/run/training_setup.h"

namespace ty::test {
namespace {

constexpr double kTokens = 2 * 48, kWidth = 96, kRank = 8;

// Bytes over the tensor axis, of the given kinds of calls or of all.
double tensor_bytes(const Plan& plan, const std::vector<CommCall>& calls) {
  double sum = 0;
  for (const TrafficRow& row : plan.traffic) {
    const bool counts = std::find(calls.begin(), calls.end(), row.call) != calls.end();
    if (row.axis == "tensor" && counts) sum += static_cast<double>(row.counts.bytes);
  }
  return sum;
}

// Of one block: what a model of three has more than one of two.
double per_block(int ranks, config::Overrides overrides, const std::vector<CommCall>& calls) {
  overrides.insert(overrides.end(),
                   {"data={sequence: 48, batch: 2}", fmt::format("parallel.tensor={}", ranks)});
  const auto bytes = [&](int layers) {
    config::Overrides all = overrides;
    all.push_back(
        fmt::format("model={{layers: {}, width: 96, heads: 12, context: 48, vocab: 50}}", layers));
    const JobConfig job = load_job("", all);
    return tensor_bytes(make_plan(job, planned_model(job), ranks), calls);
  };
  return bytes(3) - bytes(2);
}

constexpr const char* kSvd = "linear=[{match: \"blocks.*\", kind: svd, rank: 8}]";
constexpr const char* kTtm =
    "linear=[{match: \"*.attn.qkv\", kind: ttm, in: [12, 8], out: [36, 8], rank: 4}, {match: "
    "\"*.attn.out\", kind: ttm, in: [12, 8], out: [12, 8], rank: 4}, {match: \"*.mlp.up\", kind: "
    "ttm, in: [12, 8], out: [24, 16], rank: 4}, {match: \"*.mlp.down\", kind: ttm, in: [24, 16], "
    "out: [12, 8], rank: 4}]";

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

TEST_P(Degrees, WholeTensorTrainsSendAPartOfWhatDenseLayersDo) {
  const double wanted = 8 * kTokens * kWidth / ranks_ * share_ * 4;
  EXPECT_DOUBLE_EQ(per_block(ranks_, {kTtm, "parallel.sequence=true"}, {CommCall::send}), wanted);
  EXPECT_EQ(per_block(ranks_, {kTtm, "parallel.sequence=true"},
                      {CommCall::all_gather, CommCall::reduce_scatter}),
            0);
}

// A replay takes what crossed ranks from memory.
TEST_P(Degrees, RecomputationSendsNothingMore) {
  for (const char* kind : {kSvd, kTtm}) {
    for (const char* mode : {"parallel.recompute=block", "parallel.recompute=selective"}) {
      const std::vector<CommCall> all(kCommCalls.begin(), kCommCalls.end());
      EXPECT_EQ(per_block(ranks_, {kind, "parallel.sequence=true", mode}, all),
                per_block(ranks_, {kind, "parallel.sequence=true"}, all));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, Degrees, testing::Values(2, 3, 4));

}  // namespace
}  // namespace ty::test
