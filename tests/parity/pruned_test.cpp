// Pruned layers: the same steps and scores in every layout, and what they have no part in.
#include "models/linear/pruned/pruned.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "launch/run/job_check.h"
#include "launch/run/plan.h"
#include "tests/parity/one_rank.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

constexpr const char* kModel =
    "model={layers: 3, width: 24, heads: 4, inner: 48, context: 12, vocab: 19}";
constexpr const char* kPruned =
    "linear=[{match: \"blocks.*\", kind: pruned, keep: 40%, begin: 2, end: 8}]";

struct Axes {
  int data, tensor, pipeline;
};
constexpr Axes kLayouts[] = {{2, 1, 1}, {4, 1, 1}, {1, 2, 1}, {1, 1, 3}, {2, 2, 1}, {2, 1, 3}};

// In fp64: which scores are among the highest must not hang on rounding.
std::vector<Case> cases() {
  std::vector<Case> all;
  std::uint64_t number = 0;
  for (const Axes& axes : kLayouts) {
    Case c = {fmt::format("{}x{}x{}", axes.data, axes.tensor, axes.pipeline),
              axes.data,
              axes.tensor,
              axes.pipeline,
              {kModel, kPruned, "optim.lr=3e-3", "parallel.microbatches=2",
               "precision={compute: fp64, weights: fp64}"}};
    OptionDraws draws(17, number++);
    const auto take = [&](bool taken, const char* words, const char* override) {
      if (taken) c.add(words, override);
    };
    take(draws.one_in(2), "_block", "parallel.recompute=block");
    take(draws.one_in(2), "_zero", "parallel.zero=1");
    take(draws.one_in(3), "_reuse", "parallel.reuse=step");
    all.push_back(std::move(c));
  }
  all.push_back(
      {"canonical", 2, 2, 1, {kModel, kPruned, "optim.lr=3e-3", "parallel.reduction=canonical"}});
  return all;
}

class Pruned : public testing::TestWithParam<Case> {};

TEST_P(Pruned, ModelsTakeTheStepsOfOneRank) { expect_same(GetParam(), 2.0); }

INSTANTIATE_TEST_SUITE_P(Layouts, Pruned, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

// S is what the steps' gradients times weights come to, times the factor that clipped them.
TEST(PrunedSteps, AddUpScoresAndLeaveThemOutOfTheNorm) {
  const JobConfig job = tiny_job(
      1, 1,
      {kModel, kPruned, "optim={lr: 3e-3, clip: 0}", "precision={compute: fp64, weights: fp64}"});
  TinyRank rank(job, Group());
  const ParameterStore& store = rank.setup.model.parameters->store();
  const Parameter& weight = *store.find("blocks.1.mlp.up.weight");
  const Parameter& scores = *store.find("blocks.1.mlp.up.scores");
  std::vector<double> sum = doubles(scores.value);
  for (std::int64_t step = 0; step < 4; ++step) {
    const std::vector<double> before = doubles(weight.value);
    const StepReport report = rank.take_step(step);
    const std::vector<double> g = doubles(grad_of(weight.value));
    double squares = 0;
    for (const Parameter& each : store.all()) {
      if (each.name.ends_with(".scores")) continue;
      for (const double one : doubles(grad_of(each.value))) squares += one * one;
    }
    EXPECT_NEAR(report.gradient_norm, std::sqrt(squares), 1e-9);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] -= g[i] * before[i];
  }
  const std::vector<double> found = doubles(scores.value);
  for (std::size_t i = 0; i < sum.size(); ++i) EXPECT_NEAR(found[i], sum[i], 1e-12) << i;
}

std::string error_of(const JobConfig& job) {
  return message_of<ConfigError>([&] { check_model(job, planned_model(job), {1, 1, 1}); });
}
std::string error_with(const char* more) {
  return error_of(tiny_job(1, 1, {kModel, kPruned, more}));
}

TEST(PrunedJob, RunsToTheEndOfPruningInNumbersThatHoldScores) {
  EXPECT_EQ(error_with("run.steps=7"),
            "run.steps: 7 are fewer than the 8 steps in which blocks.* is pruned to 40 %");
  EXPECT_EQ(error_with("precision.compute=fp16"),
            "precision.compute: fp16 has no numbers as small as the scores of blocks.*, which is "
            "pruned; want bf16 or fp32");
  JobConfig job = tiny_job(1, 1, {kModel, kPruned});
  job.run.early_stop.patience = 2;
  EXPECT_EQ(
      error_of(job),
      "run.early_stop.patience: may end the run before blocks.* is pruned, at step 8; want 0");
}

}  // namespace
}  // namespace ty::test
