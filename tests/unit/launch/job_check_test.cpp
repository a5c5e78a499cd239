// What is known to be wrong with a job before its data is read: sizes beyond every machine, and
// what only the model, the number of ranks or the build can tell. `config check` says it, training
// says the same, and neither makes anything.
#include "launch/run/job_check.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "core/base/error.h"
#include "launch/run/model_setup.h"
#include "launch/run/plan.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

constexpr const char* kJob = R"(schema: 1
run: {dir: run, steps: 20, device: cpu}
model: {layers: 1, width: 16, heads: 2, context: 16, vocab: 300}
tokenizer: {kind: bytes}
data: {train: t.txt, sequence: 8, batch: 4}
)";

class JobCheck : public ::testing::Test {
 protected:
  JobCheck() { std::ofstream(path_) << kJob; }
  std::string error_with(const config::Overrides& overrides, std::optional<int> ranks = {}) const {
    std::string message = message_of<Error>([&] { load_checked_job(path_, overrides, ranks); });
    if (message.starts_with(path_.string())) message.erase(0, dir_.path().string().size() + 1);
    return message;
  }

  TempDir dir_;
  std::filesystem::path path_ = dir_ / "job.yaml";
};

struct Limit {
  const char* override;
  const char* said;  // after the key
};

TEST_F(JobCheck, SizesHaveLimitsThatAreFoundAtOnce) {
  const Limit limits[] = {
      {"model.context=144115188075855873", "an integer >= 1 and <= 1048576"},
      {"model.vocab=144115188075855873", "an integer >= 0 and <= 16777216"},
      {"model.inner=4611686018427387904", "an integer >= 0 and <= 262144"},
      {"model.width=2147483648", "an integer >= 1 and <= 65536"},
      {"model.heads=4097", "an integer >= 1 and <= 4096"},
      {"model.layers=4000", "an integer >= 1 and <= 1000"},
      {"model.layers=100000000", "an integer >= 1 and <= 1000"},
      {"data.batch=9223372036854775807", "an integer >= 1 and <= 1048576"},
      {"data.sequence=1048577", "an integer >= 1 and <= 1048576"},
      {"data.column=1048577", "an integer >= 0 and <= 1048576"},
      {"parallel.microbatches=4097", "an integer >= 1 and <= 4096"},
      {"parallel.data=65537", "an integer >= 1 and <= 65536, or auto"},
      {"parallel.bucket_mb=1e300", "a number > 0 and <= 65536"},
      {"run.steps=9223372036854775807", "an integer >= 0 and <= 1000000000"},
      {"checkpoint.every=1000000001", "an integer >= 0 and <= 1000000000"},
      {"log.every=0", "an integer >= 1 and <= 1000000000"},
  };
  const auto start = std::chrono::steady_clock::now();
  for (const auto& [override, said] : limits) {
    const std::string text = override;
    const std::size_t equals = text.find('=');
    EXPECT_EQ(error_with({text}),
              fmt::format("command line: {}: got {}; want {}", text.substr(0, equals),
                          text.substr(equals + 1), said));
  }
  for (const char* vocab : {"256", "9223372036854775807"}) {
    EXPECT_EQ(error_with({"tokenizer.kind=bpe", fmt::format("tokenizer.vocab={}", vocab)}),
              fmt::format("command line: tokenizer.vocab: got {}; want an integer >= 257 and <= "
                          "16777216",
                          vocab));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(JobCheck, SoHaveTheTokensOfAStep) {
  EXPECT_EQ(error_with({"data.batch=1048576", "data.sequence=1024", "model.context=1024"}),
            "command line: data.batch: 1048576 sequences of data.sequence = 1024 are more than the "
            "134217728 tokens that a step may have");
}

// No product of sizes within their limits overflows on its way to a plan.
TEST_F(JobCheck, TheLargestJobHasAPlan) {
  const JobConfig job =
      load_checked_job(path_, {"model.width=65536", "model.heads=4096", "model.inner=262144",
                               "model.context=1048576", "model.vocab=16777216",
                               "data.sequence=1048576", "data.batch=128"})
          .value;
  const Plan plan = make_plan(job, planned_model(job), 1);
  const std::int64_t width = 65536, vocab = 16777216, context = 1048576, inner = 262144;
  EXPECT_EQ(plan.parameters, (vocab + context) * width +          // tables
                                 4 * width * width + 4 * width +  // attention
                                 2 * width * inner + inner + width + 6 * width);
  EXPECT_GT(plan.memory.total_peak, std::int64_t{1} << 49);
  EXPECT_GT(plan.matrix_flops, 1e20);
}

// A job file for many ranks runs in one process, whatever it says about sharing.
TEST_F(JobCheck, LayoutsBindRanksThatShareALayer) {
  const std::string padded =
      "linear=[{match: \"*.mlp.*\", kind: ttm, rank: 2, cores: 1, layout: split}, {match: "
      "\"*.attn.*\", kind: svd, rank: 3, layout: rank}]";
  const config::Overrides rows = {padded, "parallel.sequence=true"};
  EXPECT_NO_THROW(load_checked_job(path_, rows));
  config::Overrides shared = rows;
  shared.push_back("parallel.tensor=2");
  EXPECT_TRUE(contains(error_with(shared), "layout: rank over 2 ranks: wants parallel.sequence"));
  const std::string mixed =
      "linear=[{match: \"*\", kind: svd, rank: 4, layout: hidden}, {match: \"*.mlp.down\", kind: "
      "svd, rank: 4, layout: whole}]";
  EXPECT_EQ(error_with({mixed, "parallel.tensor=2"}),
            "command line: linear[1]: blocks.0.mlp.down [64, 16]: layout: whole over 2 ranks where "
            "another layer is hidden: want hidden");
}

TEST_F(JobCheck, RulesAndPatternsThatMatchNothing) {
  EXPECT_EQ(
      error_with({"linear=[{match: \"*\", kind: dense}, {match: \"blocks.*.nothing\", kind: "
                  "dense}]"}),
      "command line: linear[1].match: \"blocks.*.nothing\" matches no linear layer; there are: "
      "embeddings.token, blocks.0.attn.qkv, blocks.0.attn.out, blocks.0.mlp.up, "
      "blocks.0.mlp.down");
  EXPECT_EQ(error_with({"optim.no_decay=[\"*.bais\"]"}),
            "command line: optim.no_decay: \"*.bais\" matches no parameter; names look like "
            "embeddings.token.weight and head.norm.bias");
  EXPECT_EQ(error_with({"optim.freeze=[\"blocks.*.mpl.*\"]"}),
            "command line: optim.freeze: \"blocks.*.mpl.*\" matches no parameter; names look like "
            "embeddings.token.weight and head.norm.bias (did you mean \"blocks.*.mlp.*\" or "
            "\"blocks.0.mlp.*\" or \"blocks.*.attn.*\"?)");
  EXPECT_EQ(error_with({"optim.freeze=[\"*\"]"}),
            "command line: optim.freeze: matches all 16 parameters: nothing is left to train");
  EXPECT_EQ(error_with({"optim.rules=[{match: \"*\", lr: 0}, {match: \"head.nrom.*\", lr: 1}]"}),
            "command line: optim.rules[1].match: \"head.nrom.*\" matches no parameter; names look "
            "like embeddings.token.weight and head.norm.bias (did you mean \"head.norm.*\"?)");
  EXPECT_EQ(error_with({"optim.rules=[{match: \"*\"}]"}),
            "command line: optim.rules[0].match: says nothing of \"*\"; state lr or weight_decay");
  EXPECT_TRUE(contains(error_with({"linear=[{match: \"*.mlp.*\", kind: svd, rank: 17}]"}),
                       "command line: linear[0]: blocks.0.mlp.up [16, 64]: svd: rank 17 of a [16, "
                       "64] matrix; want 1 to 16"));
  std::ofstream(path_, std::ios::app) << "linear: [{match: \"blocks.*.nothing\", kind: dense}]\n";
  EXPECT_TRUE(contains(error_with({}), "job.yaml:6:18: linear[0].match: "));
}

// Layouts in which sums depend on the number of ranks.
TEST_F(JobCheck, CanonicalSumsRefuseLayoutsByName) {
  const auto with = [](const char* rule, const char* reduction) -> config::Overrides {
    return {fmt::format("parallel={{reduction: {}, tensor: 2}}", reduction),
            fmt::format("linear=[{}]", rule)};
  };
  constexpr const char* kHidden = "{match: \"*.mlp.*\", kind: svd, rank: 4, layout: hidden}";
  constexpr const char* kRank = "{match: \"*.mlp.*\", kind: svd, rank: 4, layout: rank}";
  constexpr const char* kSplit =
      "{match: \"*.mlp.up\", kind: ttm, in: [4, 4], out: [8, 8], rank: 2, layout: split}";
  for (const char* rule : {kHidden, kRank, kSplit}) {
    EXPECT_NO_THROW(load_checked_job(path_, with(rule, "fast")));
  }
  EXPECT_TRUE(contains(error_with(with(kHidden, "canonical")),
                       "layout: hidden over 2 ranks: wants parallel.reduction: fast"));
  EXPECT_TRUE(contains(error_with(with(kRank, "canonical")),
                       "layout: rank over 2 ranks: wants parallel.reduction: fast"));
  EXPECT_TRUE(contains(error_with(with(kSplit, "canonical")),
                       "layout: split over 2 ranks: canonical sums of ttm layers are not divided; "
                       "want layout: whole, or parallel.reduction: fast"));
}

TEST_F(JobCheck, WhatTheBuildTheRanksAndTheTokenizerRefuse) {
  EXPECT_EQ(error_with({"run.device=cuda"}),
            "command line: run.device: cuda is not part of this build; use cpu or auto");
  EXPECT_EQ(error_with({"parallel={reduction: canonical, data: 3}", "data.batch=6"}),
            "command line: parallel.reduction: canonical wants 1, 2, 4, 8, ... data ranks, got 3; "
            "change parallel.data or use parallel.reduction: fast");
  EXPECT_EQ(error_with({"parallel={reduction: canonical, tensor: 3}"}),
            "command line: parallel.tensor: 3 ranks do not divide the 4 parts of which "
            "parallel.reduction: canonical makes every sum; want 1, 2 or 4, or "
            "parallel.reduction=fast");
  EXPECT_EQ(error_with({"parallel={reduction: canonical, tensor: 2, sequence: true}"}),
            "command line: parallel.sequence: true over 2 tensor ranks wants parallel.reduction: "
            "fast, got canonical");
  EXPECT_EQ(error_with({"parallel={reduction: canonical, tensor: 2}", "precision.weights=bf16",
                        "precision.compute=bf16"}),
            "command line: precision.weights: bf16 is rounded by each of the 2 tensor ranks in its "
            "own way; parallel.reduction: canonical wants fp32 or fp64");
  EXPECT_EQ(error_with({}, 16),
            "job.yaml:5:42: data.batch: 4 sequences are fewer than the 16 data ranks");
  EXPECT_EQ(error_with({"model.vocab=100"}),
            "command line: model.vocab: 100 is smaller than the tokenizer's 257");
  EXPECT_EQ(error_with({"tokenizer.kind=null"}),
            "command line: tokenizer.kind: missing, but data.train " + (dir_ / "t.txt").string() +
                " is text; want bytes, chars, bpe or wordpiece");
  EXPECT_TRUE(contains(
      error_with({"tokenizer={from: nowhere}"}),
      "command line: tokenizer.from: " + (std::filesystem::current_path() / "nowhere").string()));
  EXPECT_TRUE(contains(
      error_with({"model={from: nowhere}"}),
      "command line: model.from: " + (std::filesystem::current_path() / "nowhere").string()));
}

}  // namespace
}  // namespace ty::test
