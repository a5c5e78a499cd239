// Adapters beside linear layers of any kind: the base model's numbers at the start, the same steps
// in every layout, and nothing for what is frozen.
#include "models/linear/adapters.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "launch/run/plan.h"
#include "tests/parity/one_rank.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

constexpr const char* kModel =
    "model={layers: 3, width: 24, heads: 4, inner: 48, context: 12, vocab: 19}";
constexpr const char* kAdapters =
    "adapters=[{match: \"*\", kind: lora, rank: 3, alpha: 6}, {match: \"*.attn.qkv\", kind: lora, "
    "rank: 2, parts: [q, v]}]";
constexpr const char* kDora =
    "adapters=[{match: \"*\", kind: lora, rank: 3, alpha: 6, dora: true}, {match: \"*.attn.qkv\", "
    "kind: lora, rank: 2, dora: true, parts: [q, v]}]";
constexpr const char* kPissa =
    "adapters=[{match: \"*\", kind: lora, rank: 3, alpha: 6, init: pissa}, {match: \"*.attn.qkv\", "
    "kind: lora, rank: 2, init: pissa, parts: [q, v]}]";
constexpr const char* kBoth =
    "adapters=[{match: \"*.mlp.*\", kind: lora, rank: 3, alpha: 6, init: pissa, "
    "dora: "
    "true}]";
constexpr const char* kTrains =
    "adapters=[{match: \"*\", kind: lora, rank: 3, alpha: 6, dropout: 0.1, cores: 3}]";
constexpr const char* kBottlenecks =
    "adapters=[{match: \"*\", kind: lora, rank: 3, alpha: 6}, {match: \"*.attn.out\", kind: "
    "bottleneck, width: 5}, {match: \"*.mlp.*\", kind: bottleneck, width: 4, activation: relu}]";
constexpr const char* kDropped =
    "adapters=[{match: \"*\", kind: lora, rank: 3, alpha: 6, dropout: 0.3, rslora: true}]";

struct Base {
  const char* name;
  config::Overrides overrides;
};
const std::vector<Base>& bases() {
  static const std::vector<Base> all = {
      {"dense", {}},
      {"svd", {"linear=[{match: \"blocks.*\", kind: svd, rank: 5}]"}},
      {"ttm",
       {"linear=[{match: \"*.mlp.up\", kind: ttm, in: [4, 6], out: [12, 4], rank: 5}, "
        "{match: \"*.mlp.down\", kind: ttm, in: [12, 4], out: [4, 6], rank: 3}]"}},
      {"whole", {"linear=[{match: \"*.mlp.*\", kind: dense, layout: whole}]"}}};
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
    for (const Base& base : bases()) {
      for (const char* adapters : {kAdapters, kDropped}) {
        Case c = {fmt::format("{}x{}x{}_{}{}", axes.data, axes.tensor, axes.pipeline, base.name,
                              adapters == kDropped ? "_dropped" : ""),
                  axes.data, axes.tensor, axes.pipeline, base.overrides};
        c.overrides.insert(c.overrides.end(),
                           {kModel, adapters, "optim.lr=3e-3", "parallel.microbatches=2"});
        OptionDraws draws(11, number++);
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
  }
  for (const Axes& axes : {Axes{2, 1, 1}, Axes{1, 2, 1}, Axes{1, 1, 3}, Axes{2, 2, 1}}) {
    for (const auto& [name, adapters] :
         {std::pair{"dora", kDora}, std::pair{"pissa", kPissa}, std::pair{"both", kBoth},
          std::pair{"trains", kTrains}, std::pair{"bottlenecks", kBottlenecks}}) {
      Case c = {fmt::format("{}x{}x{}_{}", axes.data, axes.tensor, axes.pipeline, name),
                axes.data,
                axes.tensor,
                axes.pipeline,
                {kModel, adapters, "optim.lr=3e-3", "parallel.microbatches=2"}};
      if (axes.tensor > 1 && axes.data > 1) c.add("_rows", "parallel.sequence=true");
      if (axes.data > 1) c.add("_reuse", "parallel.reuse=step");
      all.push_back(std::move(c));
    }
  }
  all.push_back(
      {"canonical", 2, 2, 1, {kModel, kAdapters, "optim.lr=3e-3", "parallel.reduction=canonical"}});
  all.push_back({"canonical_bottlenecks",
                 2,
                 2,
                 1,
                 {kModel, kBottlenecks, "optim.lr=3e-3", "parallel.reduction=canonical"}});
  return all;
}

class Adapted : public testing::TestWithParam<Case> {};

TEST_P(Adapted, ModelsTakeTheStepsOfOneRank) { expect_same(GetParam(), 2.0); }

INSTANTIATE_TEST_SUITE_P(Layouts, Adapted, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

Run run_of(const config::Overrides& overrides) {
  Case c = {"one", 1, 1, 1, {kModel, "optim.lr=3e-3"}};
  c.overrides.insert(c.overrides.end(), overrides.begin(), overrides.end());
  return train(job_of(c), Group());
}

TEST(Adapters, StartAsTheirBaseAndLeaveItAsItIs) {
  for (const Base& base : bases()) {
    for (const char* adapters : {kAdapters, kBottlenecks}) {
      SCOPED_TRACE(fmt::format("{} {}", base.name, adapters));
      config::Overrides with = base.overrides;
      with.emplace_back(adapters);
      const ty::test::Run plain = run_of(base.overrides), adapted = run_of(with);
      EXPECT_EQ(adapted.losses.front(), plain.losses.front());
      EXPECT_LT(adapted.losses.back(), adapted.losses.front());
      Case still = {"still", 1, 1, 1, with};
      still.overrides.insert(still.overrides.end(), {kModel, "optim.lr=1e-30"});
      const ty::test::Run before = train(job_of(still), Group());
      for (const auto& [name, values] : adapted.weights) {
        EXPECT_EQ(values == before.weights.at(name), !is_adapter(name)) << name;
      }
    }
  }
}

// A dense, svd or ttm weight with its columns' lengths apart, or cut in two, is that weight.
TEST(Adapters, ThatStartFromTheWeightStartAsTheirBase) {
  for (const Base& base : bases()) {
    const ty::test::Run plain = run_of(base.overrides);
    for (const char* adapters : {kDora, kPissa, kBoth, kTrains}) {
      const bool cuts_weights = adapters == kPissa || adapters == kBoth;
      if (base.name == std::string("ttm") && cuts_weights) continue;
      if (base.name == std::string("svd") && adapters == kPissa) continue;  // has parts
      config::Overrides with = base.overrides;
      with.emplace_back(adapters);
      const ty::test::Run adapted = run_of(with);
      EXPECT_NEAR(adapted.losses.front(), plain.losses.front(), 2e-6) << base.name << adapters;
      EXPECT_LT(adapted.losses.back(), adapted.losses.front()) << base.name << adapters;
    }
  }
}

std::int64_t trained(const config::Overrides& more) {
  config::Overrides overrides = {
      "model={family: bert, layers: 12, width: 768, heads: 12, context: 512, vocab: 50265}",
      "task.kind=masked_lm", "data={sequence: 16, batch: 1}"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  const JobConfig job = load_job("", overrides);
  return make_plan(job, planned_model(job), 1).trained;
}

// Hu et al., table 2: RoBERTa-base with r = 8 on queries and values.
TEST(Adapters, TrainAsManyNumbersAsThePaperSays) {
  EXPECT_EQ(trained({"adapters=[{match: \"*.attn.qkv\", kind: lora, rank: 8, parts: [q, v]}]"}),
            294912);
  // Houlsby et al., section 2.1: 2 m d + d + m for each of two adapters in a block.
  EXPECT_EQ(trained({"adapters=[{match: \"*.attn.out\", kind: bottleneck, width: 64}, "
                     "{match: \"*.mlp.down\", kind: bottleneck, width: 64}]"}),
            12 * 2 * (2 * 64 * 768 + 768 + 64));
  const std::int64_t of_blocks = 12 * (3 * 768 + 768 + 4 * 768 + 768 + 2 * 768);
  EXPECT_EQ(trained({"optim.freeze=[\"*\"]", "optim.train=[\"blocks.*.bias\"]"}), of_blocks);
}

TEST(Adapters, TakeNoMemoryForWhatIsFrozen) {
  const auto plan = [](const config::Overrides& more) {
    config::Overrides overrides = {kModel};
    overrides.insert(overrides.end(), more.begin(), more.end());
    const JobConfig job = tiny_job(1, 1, overrides);
    return make_plan(job, planned_model(job), 1);
  };
  const Plan all = plan({}), some = plan({kAdapters});
  const std::int64_t most = 4 * (some.trained + 16 * 40);  // each begins on a multiple of 16
  EXPECT_EQ(some.trained, some.parameters - all.parameters);
  EXPECT_LT(some.memory.of(MemoryClass::gradient), most);
  EXPECT_LT(some.memory.of(MemoryClass::optimizer), 2 * most);
}

TEST(Adapters, AreRefusedByNameWhereTheyCannotBe) {
  const auto error = [](const config::Overrides& more) {
    config::Overrides overrides = {kModel};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return message_of<ConfigError>([&] { planned_model(tiny_job(1, 1, overrides)); });
  };
  EXPECT_NE(
      error({"adapters=[{match: \"head.*\", kind: lora}]"})
          .find("\"head.*\" matches no linear layer of a block; there are: blocks.0.attn.qkv"),
      std::string::npos);
  EXPECT_NE(
      error({"adapters=[{match: \"*\", kind: lora, rank: 25}]"})
          .find("blocks.0.attn.qkv [24, 72]: lora: rank 25 of a [24, 72] matrix; want 1 to 24"),
      std::string::npos);
  EXPECT_NE(error({"adapters=[{match: \"*.mlp.up\", kind: lora, parts: [q]}]"})
                .find("only a fused layer attn.qkv has any"),
            std::string::npos);
  EXPECT_NE(error({"adapters=[{match: \"*\", kind: lora, parts: [q, w]}]"})
                .find("\"w\" is none of q, k and v"),
            std::string::npos);
  EXPECT_TRUE(contains(error({bases()[2].overrides[0], kPissa}), "lora: pissa of a ttm layer"));
  EXPECT_TRUE(contains(error({"adapters=[{match: \"*\", kind: bottleneck, width: 25}]"}),
                       "blocks.0.attn.out [24, 24]: bottleneck: width 25 behind 24 numbers; want 1 "
                       "to 24"));
  EXPECT_TRUE(contains(error({"adapters=[{match: \"*\", kind: bottleneck, rank: 4}]"}),
                       "adapters[0].rank: only used with kind: lora"));
  const auto refused = [](const config::Overrides& more) {
    config::Overrides overrides = {kModel, kDora};
    overrides.insert(overrides.end(), more.begin(), more.end());
    const JobConfig job = tiny_job(1, 1, overrides);
    return message_of<ConfigError>([&] { make_plan(job, planned_model(job), 1); });
  };
  EXPECT_NE(error({"adapters=[{match: \"*\", kind: lora, cores: 2, dora: true}]"})
                .find("cores: not with dora"),
            std::string::npos);
  EXPECT_TRUE(contains(refused({"parallel.reduction=canonical"}),
                       "sums of dora layers are not canonical; want parallel.reduction: fast"));
}

}  // namespace
}  // namespace ty::test
