// The same numbers however a model is cut into stages: every schedule and layout with every kind of
// layer, recomputation, sharded optimizer, dropout and uneven micro-batches.
#include <gtest/gtest.h>

#include <array>

#include "tests/parity/one_rank.h"

namespace ty::test {
namespace {

constexpr const char* kDeep =
    "model={layers: 6, width: 24, heads: 4, inner: 48, context: 12, vocab: 19}";

const std::vector<std::pair<std::string, config::Overrides>>& kinds() {
  static const std::vector<std::pair<std::string, config::Overrides>> all = {
      {"dense", {}},
      {"svd", {"linear=[{match: \"*\", kind: svd, rank: 5, layout: split}]"}},
      {"svd_hidden", {"linear=[{match: \"*\", kind: svd, rank: 5, layout: hidden}]"}},
      {"lax", {"linear=[{match: \"blocks.*\", kind: lax, rank: 5}]"}},
      {"ttm",
       {"linear=[{match: \"*.attn.qkv\", kind: ttm, in: [12, 2], out: [12, 6], rank: 4}, "
        "{match: \"*.mlp.up\", kind: ttm, in: [4, 6], out: [12, 4], rank: 5}, "
        "{match: \"*.mlp.down\", kind: ttm, in: [12, 4], out: [4, 6], rank: 3}]"}}};
  return all;
}

struct Axes {
  int data, tensor, pipeline;
};
constexpr std::array<Axes, 11> kLayouts = {{{1, 1, 2},
                                            {1, 1, 4},
                                            {2, 1, 2},
                                            {1, 2, 2},
                                            {2, 2, 2},
                                            {4, 1, 2},
                                            {1, 4, 2},
                                            {2, 1, 4},
                                            {1, 2, 4},
                                            {1, 1, 3},
                                            {2, 1, 3}}};

// Every layout, schedule and kind; the other options are drawn, so that each meets the others.
std::vector<Case> cases() {
  std::vector<Case> all;
  std::uint64_t number = 0;
  for (const Axes& axes : kLayouts) {
    for (const char* schedule : {"gpipe", "1f1b", "interleaved", "varuna"}) {
      for (const auto& [kind, rules] : kinds()) {
        Case c = {
            fmt::format("{}x{}x{}_{}_{}", axes.data, axes.tensor, axes.pipeline, schedule, kind),
            axes.data, axes.tensor, axes.pipeline, rules};
        c.overrides.emplace_back(kDeep);
        c.overrides.emplace_back("optim.lr=3e-3");
        c.overrides.push_back(fmt::format("parallel.schedule={}", schedule));
        const bool interleaved = c.name.find("interleaved") != std::string::npos;
        const int parts = interleaved ? axes.pipeline : axes.data == 1 ? 5 : 2;
        c.overrides.push_back(fmt::format("parallel.microbatches={}", parts));
        if (interleaved) c.overrides.emplace_back("parallel.chunks=2");
        OptionDraws draws(2, number++);
        const auto take = [&](bool taken, const char* name, const char* override) {
          if (taken) c.add(name, override);
        };
        take(axes.tensor > 1 && kind != "svd_hidden" && draws.one_in(2), "_rows",
             "parallel.sequence=true");
        take(draws.one_in(3), "_f64", "precision={compute: fp64, weights: fp64}");
        const char* const kRecompute[] = {"none", "selective", "block", "stage"};
        const char* recompute = kRecompute[draws.below(4)];
        c.name += fmt::format("_{}", recompute);
        c.overrides.push_back(fmt::format("parallel.recompute={}", recompute));
        take(draws.one_in(2), "_dropout", "model.dropout=0.2");
        take(draws.one_in(3), "_untied", "model.tied=false");
        take(draws.one_in(3), "_zero", "parallel.zero=1");
        take(draws.one_in(4), "_reuse", "parallel.reuse=step");
        take(draws.one_in(4), "_conserving", "parallel.work_conserving=true");
        all.push_back(std::move(c));
      }
    }
  }
  return all;
}

class Pipelined : public testing::TestWithParam<Case> {};

TEST_P(Pipelined, ModelsTakeTheStepsOfOneRank) { expect_same(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Stages, Pipelined, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

// A table that the first stage reads by ids and the last one as its head: gradients of its factors
// add up over both.
std::vector<Case> table_cases() {
  std::vector<Case> all;
  for (const auto& [kind, sizes] :
       {std::pair("svd", "rank: 5"), std::pair("row_trains", "out: [4, 6], rank: 2"),
        std::pair("ttm", "in: [4, 6], out: [6, 4], rank: 4")}) {
    for (const Axes& axes : {Axes{1, 1, 2}, Axes{1, 2, 2}, Axes{2, 1, 3}}) {
      for (const bool tied : {true, false}) {
        all.push_back(
            {fmt::format("{}x{}x{}_table_{}_{}", axes.data, axes.tensor, axes.pipeline, kind,
                         tied ? "tied" : "untied"),
             axes.data,
             axes.tensor,
             axes.pipeline,
             {kDeep, fmt::format("model={{vocab: 24, tied: {}}}", tied), "optim.lr=3e-3",
              "precision={compute: fp64, weights: fp64}",
              fmt::format("linear=[{{match: embeddings.token, kind: {}, {}}}]", kind, sizes),
              "parallel.microbatches=3", "parallel.recompute=stage", "parallel.reuse=step"}});
      }
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Tables, Pipelined, testing::ValuesIn(table_cases()),
                         [](const auto& test) { return test.param.name; });

// Losses, norms and weights of a job's ranks, by rank and name.
using Numbers = std::vector<std::map<std::string, std::vector<double>>>;

Numbers numbers_of(const Case& c) {
  const JobConfig job = job_of(c);
  const int ranks = c.data * c.tensor * c.pipeline;
  Numbers numbers(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](const Group& world) {
    train(job, world, [&](const TrainingSetup& setup, const Run& run) {
      auto& own = numbers[static_cast<std::size_t>(world.rank())];
      own["losses"] = run.losses;
      own["norms"] = run.norms;
      const auto& all = setup.model.parameters->store().all();
      for (std::size_t i = 0; i < all.size(); ++i) {
        own[all[i].name] = doubles(setup.model.parameters->weight_of(i));
      }
    });
  });
  return numbers;
}

// Backwards come in the same order of micro-batches, whatever else stages do between them.
TEST(Pipeline, SchedulesWithOneOrderOfBackwardsGiveTheSameBits) {
  for (const char* recompute : {"none", "stage"}) {
    const auto with = [&](const char* schedule, const char* conserving) {
      return numbers_of({"bits",
                         1,
                         1,
                         4,
                         {kDeep, "model.dropout=0.2", "parallel.microbatches=5",
                          fmt::format("parallel.recompute={}", recompute),
                          fmt::format("parallel.schedule={}", schedule),
                          fmt::format("parallel.work_conserving={}", conserving)}});
    };
    const Numbers by_turns = with("1f1b", "false");
    EXPECT_EQ(with("varuna", "false"), by_turns) << recompute;
    EXPECT_EQ(with("varuna", "true"), by_turns) << recompute;
  }
}

// Recomputing whole stages, or blocks, changes no bit.
TEST(Pipeline, RecomputationChangesNoBit) {
  const auto with = [&](const char* recompute) {
    return numbers_of(
        {"bits",
         1,
         1,
         3,
         {kDeep, "model.dropout=0.2", "parallel.microbatches=4", "parallel.schedule=gpipe",
          fmt::format("parallel.recompute={}", recompute)}});
  };
  const Numbers none = with("none");
  EXPECT_EQ(with("stage"), none);
  EXPECT_EQ(with("block"), none);
}

// Canonical sums do not depend on the schedule's order nor on the stages, the norm and a table that
// two of them have included.
TEST(Pipeline, CanonicalSumsHaveTheBitsOfOneRank) {
  const auto with = [&](int data, int pipeline, const char* schedule) {
    return numbers_of({"bits",
                       data,
                       1,
                       pipeline,
                       {kDeep, "model.dropout=0.2", "parallel.reduction=canonical",
                        fmt::format("parallel.schedule={}", schedule)}});
  };
  const auto one = with(1, 1, "1f1b").front();
  for (const auto& [data, pipeline, schedule] :
       {std::tuple(1, 2, "1f1b"), std::tuple(2, 2, "gpipe"), std::tuple(2, 4, "varuna")}) {
    for (const auto& rank : with(data, pipeline, schedule)) {
      for (const auto& [name, values] : rank) {
        EXPECT_EQ(values, one.at(name)) << name << " " << schedule;
      }
    }
  }
}

}  // namespace
}  // namespace ty::test
