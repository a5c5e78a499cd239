// Parameters that are frozen, and parameters with a learning rate and a weight decay of their own
// or of their product: the same numbers in every layout, and a frozen parameter is one whose
// learning rate is zero.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "launch/run/job_check.h"
#include "launch/run/plan.h"
#include "tests/parity/one_rank.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

constexpr const char* kDeep =
    "model={layers: 4, width: 24, heads: 4, inner: 48, context: 12, vocab: 19}";
constexpr const char* kFirstBlocks = "optim.freeze=[\"embeddings.*\", \"blocks.{0..1}.*\"]";
constexpr const char* kRates =
    "optim.rules=[{match: \"blocks.*\", lr: 1e-3}, {match: \"*.mlp.*\", weight_decay: 0.3}, "
    "{match: \"blocks.2.*\", lr: 0}]";

constexpr const char* kBounded = "optim.factor_steps=bounded";

struct Kind {
  const char* name;
  config::Overrides overrides;
};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"dense", {}},
      {"svd", {"linear=[{match: \"*\", kind: svd, rank: 5}]"}},
      {"ttm",
       {"linear=[{match: \"*.attn.qkv\", kind: ttm, in: [12, 2], out: [12, 6], rank: 4}, "
        "{match: \"*.mlp.up\", kind: ttm, in: [4, 6], out: [12, 4], rank: 5}, "
        "{match: \"*.mlp.down\", kind: ttm, in: [12, 4], out: [4, 6], rank: 3}]"}}};
  return all;
}

// What is frozen: from the beginning on, at the end (through which gradients still go), here and
// there, a table to which the head is tied, all but the head, and (rates, shapes, product, cap)
// nothing.
const std::vector<Kind>& choices() {
  static const std::vector<Kind> all = {
      {"first", {kFirstBlocks, "model.tied=false"}},
      {"last", {"optim.freeze=[\"blocks.{2..3}.*\", \"head.*\"]"}},
      {"some", {"optim.freeze=[\"*.mlp.up.*\", \"*.bias\", \"blocks.1.attn.*\"]"}},
      {"table", {"optim.freeze=[\"embeddings.*\"]"}},
      {"all_but_the_head", {"optim.freeze=[\"embeddings.*\", \"blocks.*\"]", "model.tied=false"}},
      {"rates", {kRates}},
      {"shapes",
       {"optim.factor_rates=shape", "optim.rules=[{match: \"blocks.2.mlp.*\", lr: 1e-3}]"}},
      {"product",
       {"optim.product_decay=30", "optim.weight_decay=1",
        "optim.rules=[{match: \"blocks.2.mlp.up.*\", weight_decay: 0}]"}},
      {"cap", {"optim.factor_norm_cap=0.9"}}};
  return all;
}

struct Axes {
  int data, tensor, pipeline;
};
constexpr Axes kLayouts[] = {{2, 1, 1}, {1, 2, 1}, {2, 2, 1}, {1, 1, 3}, {2, 1, 2}, {1, 2, 2}};

// Every layout, kind and choice; the other options are drawn.
std::vector<Case> cases() {
  std::vector<Case> all;
  std::uint64_t number = 0;
  for (const Axes& axes : kLayouts) {
    for (const Kind& kind : kinds()) {
      for (const Kind& choice : choices()) {
        Case c = {fmt::format("{}x{}x{}_{}_{}", axes.data, axes.tensor, axes.pipeline, kind.name,
                              choice.name),
                  axes.data, axes.tensor, axes.pipeline, kind.overrides};
        c.overrides.emplace_back(kDeep);
        c.overrides.emplace_back("optim.lr=3e-3");
        c.overrides.insert(c.overrides.end(), choice.overrides.begin(), choice.overrides.end());
        c.overrides.emplace_back("parallel.microbatches=2");
        OptionDraws draws(5, number++);
        const auto take = [&](bool taken, const char* name, const char* override) {
          if (taken) c.add(name, override);
        };
        take(axes.tensor > 1 && draws.one_in(2), "_rows", "parallel.sequence=true");
        const char* const kRecompute[] = {"none", "selective", "block", "stage"};
        const char* recompute = kRecompute[draws.below(4)];
        c.name += fmt::format("_{}", recompute);
        c.overrides.push_back(fmt::format("parallel.recompute={}", recompute));
        take(axes.pipeline > 1 && draws.one_in(2), "_varuna", "parallel.schedule=varuna");
        take(axes.pipeline > 1 && draws.one_in(3), "_conserving", "parallel.work_conserving=true");
        take(draws.one_in(2), "_dropout", "model.dropout=0.2");
        take(draws.one_in(2), "_zero", "parallel.zero=1");
        take(draws.one_in(3), "_reuse", "parallel.reuse=step");
        all.push_back(std::move(c));
      }
    }
  }
  Case interleaved = {"interleaved", 1, 1, 2, {kDeep, kFirstBlocks, "model.tied=false"}};
  interleaved.overrides.insert(interleaved.overrides.end(),
                               {"optim.lr=3e-3", "parallel.schedule=interleaved",
                                "parallel.chunks=2", "parallel.microbatches=2"});
  all.push_back(std::move(interleaved));
  for (const Axes& axes : {Axes{2, 1, 1}, Axes{1, 1, 3}, Axes{2, 1, 2}}) {
    all.push_back({fmt::format("bounded_{}x{}", axes.data, axes.pipeline),
                   axes.data,
                   1,
                   axes.pipeline,
                   {kDeep, "linear=[{match: \"blocks.*\", kind: svd, rank: 5}]", kBounded,
                    "optim.lr=3e-3", "optim.clip=0.5", "parallel.microbatches=2"}});
  }
  all.push_back(
      {"canonical",
       2,
       1,
       2,
       {kDeep, kFirstBlocks, "model.tied=false", "optim.lr=3e-3", "parallel.reduction=canonical"}});
  return all;
}

class Frozen : public testing::TestWithParam<Case> {};

TEST_P(Frozen, ModelsTakeTheStepsOfOneRank) { expect_same(GetParam(), 2.0); }

INSTANTIATE_TEST_SUITE_P(Layouts, Frozen, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

// Losses and weights of a job's ranks, by rank and name.
using Numbers = std::vector<std::map<std::string, std::vector<double>>>;

Numbers numbers_of(const Case& c) {
  Numbers numbers(static_cast<std::size_t>(c.data * c.tensor * c.pipeline));
  run_ranks(static_cast<int>(numbers.size()), [&](const Group& world) {
    train(job_of(c), world, [&](const TrainingSetup& setup, const Run& run) {
      auto& own = numbers[static_cast<std::size_t>(world.rank())];
      own["losses"] = run.losses;
      const auto& all = setup.model.parameters->store().all();
      for (std::size_t i = 0; i < all.size(); ++i) {
        own[all[i].name] = doubles(setup.model.parameters->weight_of(i));
      }
    });
  });
  return numbers;
}

// Without clipping, to which the norm of all gradients would go. Bits, in each layout.
TEST(Freezing, IsALearningRateOfZero) {
  for (const Axes& axes : {Axes{1, 1, 1}, Axes{2, 1, 1}, Axes{1, 2, 1}, Axes{1, 1, 2}}) {
    for (const Kind& kind : kinds()) {
      for (const char* optimizer : {"adamw", "sgd"}) {
        const auto with = [&](const char* choice) {
          Case c = {"bits", axes.data, axes.tensor, axes.pipeline, kind.overrides};
          c.overrides.insert(c.overrides.end(),
                             {kDeep, "optim.clip=0", fmt::format("optim.name={}", optimizer),
                              "parallel.microbatches=2", "parallel.zero=1", choice});
          return numbers_of(c);
        };
        const Numbers frozen =
            with("optim.freeze=[\"embeddings.*\", \"blocks.{0..1}.*\", \"blocks.3.mlp.*\"]");
        const Numbers still = with(
            "optim.rules=[{match: \"embeddings.*\", lr: 0}, {match: \"blocks.{0..1}.*\", lr: 0}, "
            "{match: \"blocks.3.mlp.*\", lr: 0, weight_decay: 0}]");
        EXPECT_EQ(frozen, still) << kind.name << " " << optimizer << " " << axes.data << "x"
                                 << axes.tensor << "x" << axes.pipeline;
        EXPECT_NE(frozen, with("optim.freeze=[]"));
      }
    }
  }
}

Plan plan_of(const config::Overrides& more, int ranks = 1, int stage = 0) {
  config::Overrides overrides = {"model.heads=12", kDeep, "model.tied=false"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  const JobConfig job = tiny_job(1, 1, overrides);
  return make_plan(job, planned_model(job), ranks, stage);
}

TEST(Freezing, LeavesTheNormToWhatIsTrained) {
  const auto norm = [](const char* choice) {
    return train(job_of({"norm", 1, 1, 1, {kDeep, choice}}), Group()).norms.front();
  };
  EXPECT_LT(norm("optim.freeze=[\"blocks.*\"]"), norm("optim.freeze=[]"));
}

// Products of a block that need no backward: one of the three that each takes otherwise.
TEST(Freezing, EndsBackwardBeforeTheFirstBlockThatIsTrained) {
  const double all = plan_of({}).matrix_flops;
  const auto frozen = [](int blocks, const char* recompute = "none") {
    return plan_of({fmt::format("optim.freeze=[\"embeddings.*\", \"blocks.{{0..{}}}.*\"]", blocks),
                    fmt::format("parallel.recompute={}", recompute)})
        .matrix_flops;
  };
  const double saved = frozen(0) - frozen(1);  // by one block
  EXPECT_GT(saved, all / 4 / 2);
  EXPECT_NEAR(frozen(1) - frozen(2), saved, 1e-9 * all);
  EXPECT_NEAR(all - frozen(0), saved, 0.05 * all);
  EXPECT_EQ(frozen(3, "block"), frozen(3));  // nothing to compute again
  EXPECT_GT(frozen(2, "block"), frozen(2));
}

TEST(Freezing, TakesNoMemoryForGradientsMomentsAndWhatOnlyTheyRead) {
  const Plan all = plan_of({}), some = plan_of({"optim.freeze=[\"*.weight\"]"});
  EXPECT_EQ(all.trained, all.parameters);
  EXPECT_LT(some.trained, all.parameters / 4);
  EXPECT_EQ(some.parameters, all.parameters);
  const auto most = static_cast<std::int64_t>(4 * 3 * some.trained);
  EXPECT_LT(some.memory.of(MemoryClass::gradient), most);
  EXPECT_LT(some.memory.of(MemoryClass::optimizer), most);
  EXPECT_LT(some.memory.peak_of(MemoryClass::activation),
            all.memory.peak_of(MemoryClass::activation));
}

// Nobody sends a gradient to a stage that would not know what to do with it.
TEST(Freezing, SendsNoGradientToAFrozenStage) {
  const auto sent = [](int stage, const char* freeze) {
    const Plan plan = plan_of({"parallel.pipeline=2", "parallel.microbatches=2", freeze}, 2, stage);
    std::int64_t bytes = 0;
    for (const TrafficRow& row : plan.traffic) {
      if (row.axis == "pipeline" && row.call == CommCall::send) bytes += row.counts.bytes;
    }
    return bytes;
  };
  constexpr const char* kFirstStage = "optim.freeze=[\"embeddings.*\", \"blocks.{0..1}.*\"]";
  EXPECT_GT(sent(1, "optim.freeze=[]"), 0);
  EXPECT_EQ(sent(1, kFirstStage), 0);
  EXPECT_EQ(sent(0, kFirstStage), sent(0, "optim.freeze=[]"));
}

// Factors that decay by their product do not decay by themselves; what a rule says of one, and what
// no_decay says of it, holds.
TEST(FreezingPlan, SaysWhatDecaysByItsProduct) {
  const Plan plan = plan_of({"linear=[{match: \"*.mlp.*\", kind: svd, rank: 5}]",
                             "optim={product_decay: 0.5, weight_decay: 0.1, no_decay: "
                             "[\"*.bias\", \"*norm*\", \"blocks.0.mlp.down.*\"], rules: [{match: "
                             "\"blocks.1.mlp.down.b\", weight_decay: 0.2}]}"});
  const auto group_of = [&](double weight_decay, double product_decay) {
    for (const UpdateGroup& group : plan.updates) {
      if (group.weight_decay == weight_decay && group.product_decay == product_decay) return group;
    }
    return UpdateGroup{};
  };
  EXPECT_EQ(group_of(0, 0.5).first, "blocks.0.mlp.up.a");
  EXPECT_EQ(group_of(0, 0.5).parameters, 4 * 4 - 2 - 1);
  EXPECT_EQ(group_of(0.2, 0).first, "blocks.1.mlp.down.b");
  EXPECT_EQ(group_of(0.1, 0).first, "embeddings.token.weight");
}

TEST(FreezingPlan, SaysWhichFactorsAreCapped) {
  const Plan plan = plan_of({"linear=[{match: \"*.mlp.up\", kind: svd, rank: 5}]",
                             "optim.factor_norm_cap=2", "optim.freeze=[\"blocks.0.*\"]"});
  const auto capped = std::find_if(plan.updates.begin(), plan.updates.end(),
                                   [](const UpdateGroup& group) { return group.max_rms > 0; });
  ASSERT_NE(capped, plan.updates.end());
  EXPECT_EQ(capped->first, "blocks.1.mlp.up.a");
  EXPECT_EQ(capped->parameters, 3 * 2);
  EXPECT_NEAR(capped->max_rms, 2 * std::sqrt(0.02 / std::sqrt(5.0)), 1e-12);
}

TEST(FreezingPlan, RefusesBoundedStepsOfWhatIsNotWhole) {
  const auto error = [](int data, int tensor, const char* key) {
    const JobConfig job = tiny_job(data, tensor, {kDeep, kBounded, key});
    return message_of<ConfigError>([&] {
      check_model(job, planned_model(job), {1, data, tensor});
    });
  };
  EXPECT_EQ(error(2, 1, "parallel.zero=1"),
            "parallel.zero: 1 cuts factors into shares, and optim.factor_steps: bounded wants them "
            "whole on every rank; want 0");
  EXPECT_EQ(error(1, 2, "parallel.zero=0"),
            "parallel.tensor: 2 ranks divide factors, and optim.factor_steps: bounded wants them "
            "whole on every rank; want 1");
  EXPECT_EQ(error(1, 1, "precision={compute: bf16, weights: bf16}"),
            "precision.weights: bf16 has too few digits for optim.factor_steps: bounded; want fp32 "
            "or fp64");
}

TEST(FreezingPlan, RefusesCanonicalSumsOfFactorsThatRanksDivide) {
  const auto error = [](const char* key) {
    const JobConfig job = tiny_job(1, 2, {kDeep, key, "parallel.reduction=canonical"});
    return message_of<ConfigError>([&] { check_model(job, planned_model(job), {1, 1, 2}); });
  };
  EXPECT_EQ(error("optim.product_decay=0.1"),
            "optim.product_decay: has no canonical sums over 2 tensor ranks; want "
            "parallel.reduction: fast, or optim.weight_decay");
  EXPECT_EQ(error("optim.factor_norm_cap=1"),
            "optim.factor_norm_cap: has no canonical sums over 2 tensor ranks; want "
            "parallel.reduction: fast, or null");
}

}  // namespace
}  // namespace ty::test
