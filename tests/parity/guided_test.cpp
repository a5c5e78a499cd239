// Layers with a guide that fades out: the same steps in every layout, and what the guide costs.
#include "models/linear/guided/guided.h"

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

struct Kind {
  const char* name;
  const char* plain;
  const char* guided;  // for 7 of the 10 steps
};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"svd", "linear=[{match: \"blocks.*\", kind: svd, rank: 5}]",
       "linear=[{match: \"blocks.*\", kind: guided, steps: 7, of: {kind: svd, rank: 5}}]"},
      {"ttm",
       "linear=[{match: \"*.mlp.up\", kind: ttm, in: [4, 6], out: [12, 4], rank: 5}, {match: "
       "\"*.mlp.down\", kind: ttm, in: [12, 4], out: [4, 6], rank: 3}]",
       "linear=[{match: \"*.mlp.up\", kind: guided, steps: 7, of: {kind: ttm, in: [4, 6], out: "
       "[12, 4], rank: 5, init: spectral}}, {match: \"*.mlp.down\", kind: guided, steps: 7, of: "
       "{kind: ttm, in: [12, 4], out: [4, 6], rank: 3}}]"}};
  return all;
}

struct Axes {
  int data, tensor, pipeline;
};
constexpr Axes kLayouts[] = {{2, 1, 1}, {1, 2, 1}, {1, 4, 1}, {1, 1, 3}, {2, 2, 1}, {1, 2, 2}};

std::vector<Case> cases() {
  std::vector<Case> all;
  std::uint64_t number = 0;
  for (const Axes& axes : kLayouts) {
    for (const Kind& kind : kinds()) {
      Case c = {fmt::format("{}x{}x{}_{}", axes.data, axes.tensor, axes.pipeline, kind.name),
                axes.data,
                axes.tensor,
                axes.pipeline,
                {kModel, kind.guided, "optim={lr: 3e-3, factor_rates: shape}",
                 "parallel.microbatches=2"}};
      OptionDraws draws(13, number++);
      const auto take = [&](bool taken, const char* words, const char* override) {
        if (taken) c.add(words, override);
      };
      take(axes.tensor > 1 && draws.one_in(2), "_rows", "parallel.sequence=true");
      take(draws.one_in(2), "_block", "parallel.recompute=block");
      take(draws.one_in(2), "_zero", "parallel.zero=1");
      take(draws.one_in(3), "_reuse", "parallel.reuse=step");
      all.push_back(std::move(c));
    }
  }
  all.push_back({"canonical",
                 2,
                 2,
                 1,
                 {kModel, kinds()[0].guided, "optim.lr=3e-3", "parallel.reduction=canonical"}});
  return all;
}

class Guided : public testing::TestWithParam<Case> {};

TEST_P(Guided, ModelsTakeTheStepsOfOneRank) { expect_same(GetParam(), 2.0); }

INSTANTIATE_TEST_SUITE_P(Layouts, Guided, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

Plan plan_of(const char* linear) {
  const JobConfig job = tiny_job(1, 1, {kModel, linear});
  return make_plan(job, planned_model(job), 1);
}

TEST(GuidedPlan, CountsTheGuide) {
  const Plan plain = plan_of(kinds()[1].plain), guided = plan_of(kinds()[1].guided);
  const std::int64_t dense = 3 * 2 * 24 * 48;
  EXPECT_EQ(guided.parameters - plain.parameters, dense);
  EXPECT_EQ(guided.memory.of(MemoryClass::parameter) - plain.memory.of(MemoryClass::parameter),
            4 * dense);
  EXPECT_EQ(guided.memory.of(MemoryClass::optimizer) - plain.memory.of(MemoryClass::optimizer),
            2 * 4 * dense);
  EXPECT_GT(guided.matrix_flops, plain.matrix_flops);
}

TEST(GuidedJob, MustOutliveItsGuides) {
  const auto error = [](const char* steps) {
    const JobConfig job = tiny_job(1, 1, {kModel, kinds()[0].guided, steps});
    return message_of<ConfigError>([&] { check_model(job, planned_model(job), {1, 1, 1}); });
  };
  EXPECT_EQ(error("run.steps=7"),
            "run.steps: 7 are not more than the 7 steps in which the guide of blocks.* fades out");
  const JobConfig job = tiny_job(1, 1, {kModel, kinds()[0].guided, "run.steps=8"});
  check_model(job, planned_model(job), {1, 1, 1});
}

}  // namespace
}  // namespace ty::test
