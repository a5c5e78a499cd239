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
  const RandomStream draws(2, site_id("options"));
  std::uint64_t turn = 0;
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
        auto one_in = [&, option = std::uint64_t{0}](std::uint64_t count) mutable {
          return draws.word(turn, option++) % count == 0;
        };
        const auto take = [&](bool taken, const char* name, const char* override) {
          if (!taken) return;
          c.overrides.emplace_back(override);
          c.name += name;
        };
        take(axes.tensor > 1 && kind != "svd_hidden" && one_in(2), "_rows",
             "parallel.sequence=true");
        take(one_in(3), "_f64", "precision={compute: fp64, weights: fp64}");
        const char* const kRecompute[] = {"none", "selective", "block", "stage"};
        const char* recompute = kRecompute[draws.word(turn, 100) % 4];
        c.name += fmt::format("_{}", recompute);
        c.overrides.push_back(fmt::format("parallel.recompute={}", recompute));
        take(one_in(2), "_dropout", "model.dropout=0.2");
        take(one_in(3), "_untied", "model.tied=false");
        take(one_in(3), "_zero", "parallel.zero=1");
        take(one_in(4), "_reuse", "parallel.reuse=step");
        take(one_in(4), "_conserving", "parallel.work_conserving=true");
        ++turn;
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

}  // namespace
}  // namespace ty::test
