// parallel.reduction: canonical gives the same bits for any number of data and tensor ranks and of
// stages: losses, norms of gradients and all weights, whatever layers are made of, with clipping,
// recomputation, sharded optimizer, dropout and tied tables, in every type.
#include <gtest/gtest.h>

#include <array>
#include <bit>

#include "core/base/error.h"
#include "tests/parity/one_rank.h"

namespace ty::test {
namespace {

// Kinds of layers; of "whole", named ones.
const std::vector<std::pair<std::string, config::Overrides>>& kinds() {
  static const std::vector<std::pair<std::string, config::Overrides>> all = {
      {"dense", {}},
      {"svd", {"linear=[{match: \"*\", kind: svd, rank: 5}]"}},
      {"lax", {"linear=[{match: \"blocks.*\", kind: lax, rank: 5}]"}},
      {"ttm",
       {"linear=[{match: \"*.attn.qkv\", kind: ttm, in: [12, 2], out: [12, 6], rank: 4}, "
        "{match: \"*.attn.out\", kind: ttm, in: [12, 2], out: [4, 6], rank: 3}, "
        "{match: \"*.mlp.up\", kind: ttm, in: [3, 8], out: [3, 16], rank: 5}, "
        "{match: \"*.mlp.down\", kind: ttm, in: [12, 2, 2], out: [4, 3, 2], ranks: [4, 3]}]"}},
      {"mixed",
       {"linear=[{match: \"blocks.0.mlp.*\", kind: dense, layout: whole}, {match: \"*.attn.qkv\", "
        "kind: svd, rank: 6, layout: whole}, {match: \"*.attn.out\", kind: svd, rank: 4}, "
        "{match: blocks.1.mlp.up, kind: ttm, rank: 5}, {match: embeddings.token, kind: svd, "
        "rank: 6}]"}}};
  return all;
}

struct Axes {
  int data, tensor, pipeline;
};
constexpr std::array<Axes, 16> kLayouts = {{{1, 2, 1},
                                            {1, 4, 1},
                                            {2, 1, 1},
                                            {2, 2, 1},
                                            {2, 4, 1},
                                            {4, 1, 1},
                                            {4, 2, 1},
                                            {1, 1, 2},
                                            {1, 1, 3},
                                            {1, 1, 4},
                                            {1, 2, 2},
                                            {1, 4, 2},
                                            {2, 1, 2},
                                            {2, 2, 2},
                                            {2, 1, 3},
                                            {4, 1, 2}}};

// Every layout with every kind; the other options are drawn, so that each meets the others.
std::vector<Case> cases() {
  std::vector<Case> all;
  std::uint64_t number = 0;
  for (const Axes& axes : kLayouts) {
    for (const auto& [kind, rules] : kinds()) {
      Case c = {fmt::format("{}x{}x{}_{}", axes.data, axes.tensor, axes.pipeline, kind), axes.data,
                axes.tensor, axes.pipeline, rules};
      c.overrides.emplace_back("parallel.reduction=canonical");
      OptionDraws draws(3, number++);
      const auto take = [&](bool taken, const char* name, const char* override) {
        if (taken) c.add(name, override);
      };
      const std::uint64_t type = draws.below(4);
      take(type == 0, "_bf16", "precision={compute: bf16, weights: fp32}");
      take(type == 1, "_f64", "precision={compute: fp64, weights: fp64}");
      const char* const kRecompute[] = {"none", "selective", "block", "stage"};
      const char* recompute = kRecompute[draws.below(axes.pipeline > 1 ? 4 : 3)];
      c.name += fmt::format("_{}", recompute);
      c.overrides.push_back(fmt::format("parallel.recompute={}", recompute));
      if (axes.pipeline > 1) {
        const char* const kSchedules[] = {"gpipe", "1f1b", "varuna"};
        const char* schedule = kSchedules[draws.below(3)];
        c.name += fmt::format("_{}", schedule);
        c.overrides.push_back(fmt::format("parallel.schedule={}", schedule));
      }
      take(draws.one_in(2), "_dropout", "model.dropout=0.2");
      take(draws.one_in(3), "_untied", "model.tied=false");
      take(draws.one_in(2), "_zero", "parallel.zero=1");
      take(draws.one_in(3), "_smooth", "task={label_smoothing: 0.1, z_loss: 1e-3}");
      all.push_back(std::move(c));
    }
  }
  return all;
}

void expect_same_bits(const std::vector<double>& got, const std::vector<double>& wanted,
                      const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  std::size_t apart = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool same =
        std::bit_cast<std::uint64_t>(got[i]) == std::bit_cast<std::uint64_t>(wanted[i]);
    if (!same && apart++ == 0) {
      EXPECT_EQ(got[i], wanted[i]) << what << "[" << i << "]";
    }
  }
  EXPECT_EQ(apart, 0u) << what << ", of " << got.size();
}

void expect_the_bits_of_one_rank(const Case& c) {
  const Run& wanted = alone(c);
  EXPECT_GT(wanted.norms.front(), 0.5) << "gradients are not clipped";
  EXPECT_LT(wanted.losses.back(), wanted.losses.front());
  run_ranks(c.data * c.tensor * c.pipeline, [&](const Group& world) {
    train(job_of(c), world, [&](const TrainingSetup& setup, const Run& run) {
      expect_same_bits(run.losses, wanted.losses, "losses");
      expect_same_bits(run.norms, wanted.norms, "norms");
      const auto& all = setup.model.parameters->store().all();
      for (std::size_t i = 0; i < all.size(); ++i) {
        expect_same_bits(doubles(setup.model.parameters->weight_of(i)),
                         part_of(wanted.weights.at(all[i].name), all[i]), all[i].name);
      }
    });
  });
}

class Canonical : public testing::TestWithParam<Case> {};

TEST_P(Canonical, StepsHaveTheBitsOfOneRank) { expect_the_bits_of_one_rank(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Layouts, Canonical, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ty::test
