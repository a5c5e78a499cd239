// Pruned layers: which entries remain, how scores are gathered, and what is made of them (LPAF).
#include "models/linear/pruned/pruned.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/autograd/backward.h"
#include "core/base/error.h"
#include "models/compress/compression.h"
#include "models/compress/first_order.h"
#include "models/compress/fwsvd.h"
#include "models/compress/importance.h"
#include "models/compress/lpaf_mixed.h"
#include "models/linear/base/pass.h"
#include "models/linear/guided/guided.h"
#include "models/linear/lora/lora.h"
#include "models/linear/pruning.h"
#include "models/linear/svd/svd.h"
#include "tests/support/messages.h"
#include "tests/support/statistics.h"
#include "tests/unit/models/linear_contract.h"

namespace ty::test {
namespace {

constexpr std::int64_t kIn = 12, kOut = 10;

// With fp64 weights.
struct PrunedRow {
  explicit PrunedRow(const PrunedSpec& of)
      : spec(of),
        linear(make_linear(Scope(store, "layer"), shape, spec, Split::none, {})),
        flat(store, plan_flat_layout(store, 1 << 20, 1), *backend, {DType::f64, DType::f64}) {
    flat.initialise(3);
  }
  Tensor in_step(const Tensor& x, std::int64_t step) const {
    return linear->forward_in(x, {.training = true, .step = step});
  }
  std::vector<double> values(const char* name) const { return doubles(store.find(name)->value); }
  void set_scores(const std::vector<double>& scores) const {
    backend->write(store.find("layer.scores")->value.view(), scores.data());
  }

  std::unique_ptr<Backend> backend = make_cpu_backend();
  LinearShape shape = {.in = kIn, .out = kOut, .weight_std = 0.5};
  ParameterStore store;
  PrunedSpec spec;
  std::unique_ptr<Linear> linear;
  FlatParameters flat;
};

std::vector<double> some_scores() {
  std::vector<double> scores;
  for (int i = 0; i < kIn * kOut; ++i) scores.push_back(std::sin(7.0 * i));
  return scores;
}

std::int64_t count_zeros(const std::vector<double>& values) {
  return std::count(values.begin(), values.end(), 0.0);
}

TEST(Pruned, KeepsAShareThatFallsAlongACube) {
  const PrunedSpec spec = {.keep = 0.25, .begin = 10, .end = 30};
  EXPECT_EQ(kept_share(spec, 0), 1.0);
  EXPECT_EQ(kept_share(spec, 10), 1.0);
  EXPECT_DOUBLE_EQ(kept_share(spec, 20), 0.25 + 0.75 / 8);
  EXPECT_EQ(kept_share(spec, 30), 0.25);
  EXPECT_EQ(kept_share(spec, 1000), 0.25);
  EXPECT_EQ(kept_share({.keep = 0.5}, 0), 0.5);
}

TEST(Pruned, MasksAllButTheHighestScores) {
  const PrunedRow row({.keep = 0.25, .begin = 10, .end = 30});
  row.set_scores(some_scores());
  const Tensor ones = Tensor::full(*row.backend, {1, kIn}, DType::f64, 1.0);
  const auto weight = row.values("layer.weight");
  const auto remaining = doubles(row.linear->dense_weight());
  EXPECT_EQ(count_zeros(remaining), std::llround(0.75 * kIn * kOut));
  double least_kept = 2, most_cut = -2;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double score = some_scores()[i];
    if (remaining[i] == 0) {
      most_cut = std::max(most_cut, score);
      continue;
    }
    EXPECT_EQ(remaining[i], weight[i]);
    least_kept = std::min(least_kept, score);
  }
  EXPECT_GT(least_kept, most_cut);
  // Training sees the share of its step, and all else what is to remain.
  const NoGrad no_grad;
  EXPECT_EQ(doubles(row.in_step(ones, 30)), doubles(row.linear->forward(ones)));
  EXPECT_NE(doubles(row.in_step(ones, 20)), doubles(row.linear->forward(ones)));
}

TEST(Pruned, BeginsWithTheLargestWeights) {
  const PrunedRow row({.keep = 0.5});
  const auto weight = row.values("layer.weight");
  const auto remaining = doubles(row.linear->dense_weight());
  std::vector<double> sizes;
  for (const double w : weight) sizes.push_back(std::abs(w));
  std::nth_element(sizes.begin(), sizes.begin() + std::ssize(sizes) / 2, sizes.end());
  const double median = sizes[sizes.size() / 2];
  for (std::size_t i = 0; i < weight.size(); ++i) {
    EXPECT_EQ(remaining[i] == 0, std::abs(weight[i]) < median) << i;
  }
}

// S_ij = - sum_t g_ij w_ij, of all entries, masked ones too; the weight itself gets g.
TEST(Pruned, GathersGradientTimesWeight) {
  const PrunedRow row({.keep = 0.25});
  const Tensor x = random_tensor(*row.backend, {5, kIn}, "x");
  const Tensor dy = random_tensor(*row.backend, {5, kOut}, "dy");
  backward(row.in_step(x, 0), dy);
  const auto weight = row.values("layer.weight");
  const auto g = multiply(transpose(Matrix(5, kIn, doubles(x))), Matrix(5, kOut, doubles(dy))).data;
  const auto of_weight = doubles(grad_of(row.store.find("layer.weight")->value));
  const auto of_scores = doubles(grad_of(row.store.find("layer.scores")->value));
  for (std::size_t i = 0; i < g.size(); ++i) {
    EXPECT_NEAR(of_weight[i], g[i], 1e-12);
    EXPECT_NEAR(of_scores[i], g[i] * weight[i], 1e-12);
  }
  EXPECT_TRUE(row.store.find("layer.scores")->init.is_sum);
  EXPECT_FALSE(row.store.find("layer.weight")->init.is_sum);
}

TEST(Pruned, StaysWhereItHasCome) {
  const std::vector<LinearRule> rules = {{"a", PrunedSpec{.keep = 0.5, .begin = 2, .end = 8}},
                                         {"b", SvdSpec{.rank = 2}}};
  EXPECT_EQ(with_ended_pruning(rules, 7), rules);
  EXPECT_EQ(with_ended_pruning(rules, 8)[0].spec, LinearSpec(PrunedSpec{.keep = 0.5}));
  EXPECT_EQ(with_ended_pruning(rules, 8)[1].spec, rules[1].spec);
}

TEST(Pruned, IsFoundInsideOfOthers) {
  const LinearSpec adapted = LoraSpec{{.rank = 2}, PrunedSpec{.keep = 0.5, .begin = 2, .end = 8}};
  EXPECT_EQ(pruned_in(adapted)->end, 8);
  EXPECT_EQ(pruned_in(LoraSpec{{.rank = 2}, SvdSpec{.rank = 2}}), nullptr);
  const std::vector<LinearRule> rules = {{"a", adapted}};
  EXPECT_EQ(with_ended_pruning(rules, 8)[0].spec,
            LinearSpec(LoraSpec{{.rank = 2}, PrunedSpec{.keep = 0.5}}));
  EXPECT_EQ(fault_of(GuidedSpec{5, PrunedSpec{.keep = 0.5}})->message,
            "a pruned layer has no use for a guide; want one of factors");
  EXPECT_EQ(fault_of(LinearSpec(LoraSpec{{.rank = 2}, GuidedSpec{5, SvdSpec{.rank = 2}}}))->message,
            "has a guide, which goes around all");
}

TEST(Pruned, SaysWhatItWants) {
  EXPECT_EQ(
      message_of<ConfigError>([] { resolved(PrunedSpec{.keep = 1e-5}, {.in = kIn, .out = kOut}); }),
      "pruned: keep = 1e-05 of 120 weights is none; want 0.0083 or more");
  EXPECT_EQ(fault_of(PrunedSpec{.keep = 0})->message,
            "0 is no share of the weights; want above 0 and at most 1");
  EXPECT_EQ(fault_of(PrunedSpec{.keep = 1, .begin = 3, .end = 2})->message,
            "3 comes after end = 2; want it before");
  EXPECT_EQ(message_of<ConfigError>([] {
              check_first_order({.in = kIn, .out = kOut}, {.budget = RankBudget{3}, .steps = 10});
            }),
            "first_order: want --keep, the share that remains");
}

TEST(FirstOrder, LeavesTheWeightToBePrunedInTraining) {
  const Matrix w = random_matrix(kIn, kOut);
  const Decomposition d =
      decompose_first_order(w, {.budget = ShareBudget{0.25}, .steps = 100}, LayerStatistics{});
  EXPECT_EQ(d.spec, LinearSpec(PrunedSpec{.keep = 0.25, .begin = 10, .end = 70}));
  EXPECT_EQ(d.factors.at("weight"), w.data);
  const PrunedRow row(*d.spec.as<PrunedSpec>());
  row.backend->write(row.store.find("layer.weight")->value.view(), w.data.data());
  row.set_scores(d.factors.at("scores"));
  const Matrix remaining(kIn, kOut, doubles(row.linear->dense_weight()));
  EXPECT_NEAR(d.error, distance(remaining, w), 1e-12);
}

// d_i^2 = sum_j max(S_ij, 0) M_ij.
TEST(Lpaf, WeighsRowsByWhatSpeaksForTheirEntries) {
  const PrunedSpec spec = {.keep = 0.4};
  const PrunedRow row(spec);
  row.set_scores(some_scores());
  const Matrix w(kIn, kOut, doubles(row.linear->dense_weight()));
  LayerStatistics statistics;
  statistics.scores = gains(spec, some_scores(), row.shape);
  for (std::size_t i = 0; i < w.data.size(); ++i) {
    const double gain = w.data[i] == 0 ? 0 : std::max(0.0, some_scores()[i]);
    EXPECT_EQ(statistics.scores.data[i], gain) << i;
  }
  const DecompositionRequest request = {.budget = RankBudget{4}, .floor = 0};
  const WeightedMatrix weighted = weigh_by_scores(w, request, statistics);
  const std::vector<double> sums = row_sums(statistics.scores);
  for (std::int64_t i = 0; i < kIn; ++i) {
    for (std::int64_t j = 0; j < kOut; ++j) {
      EXPECT_NEAR(weighted.weighted(i, j), std::sqrt(sums[static_cast<std::size_t>(i)]) * w(i, j),
                  1e-12);
    }
  }
  // In that norm no factors of the rank are nearer.
  const auto error_of = [&](const char* method) {
    const auto found = std::find_if(methods().begin(), methods().end(),
                                    [&](const Method& m) { return m.name == method; });
    const Decomposition d = found->decompose(w, request, statistics);
    const auto rank = std::ssize(d.factors.at("a")) / kIn;
    Matrix apart =
        multiply(Matrix(kIn, rank, d.factors.at("a")), Matrix(rank, kOut, d.factors.at("b")));
    apart = subtract(std::move(apart), w);
    scale_rows(apart, importances(sums, 0));
    return energy(apart);
  };
  EXPECT_LT(error_of("lpaf"), error_of("svd"));
}

TEST(LpafMixed, HasTheFactorsBesideWhatThePrunedWeightWas) {
  const Matrix w = random_matrix(kIn, kOut);
  LayerStatistics statistics;
  statistics.scores = Matrix(kIn, kOut, std::vector<double>(w.data.size(), 1.0));
  const DecompositionRequest request = {.budget = RankBudget{4}, .steps = 20};
  const Decomposition d = decompose_lpaf_mixed(w, request, statistics);
  EXPECT_EQ(d.spec, LinearSpec(GuidedSpec{14, SvdSpec{.rank = 4}, GuideMix::draw}));
  EXPECT_EQ(d.factors.at("guide.weight"), w.data);
  const Decomposition plain = decompose_by<weigh_by_scores>(w, request, statistics);
  EXPECT_EQ(d.factors.at("a"), plain.factors.at("a"));
  EXPECT_EQ(d.factors.at("b"), plain.factors.at("b"));
  EXPECT_EQ(d.error, plain.error);
}

}  // namespace
}  // namespace ty::test
