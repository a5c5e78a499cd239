// Tensor trains that weigh errors by Fisher information, and trains that are cut further.
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "models/compress/fwttm.h"
#include "models/compress/importance.h"
#include "models/compress/tfwsvd.h"
#include "models/linear/scaled/scaled.h"
#include "models/linear/ttm/ttm.h"
#include "tests/support/messages.h"
#include "tests/support/statistics.h"

namespace ty::test {
namespace {

const DecompositionRequest kRequest = {.budget = RankBudget{9}, .in = {4, 3, 2}, .out = {3, 4, 5}};

Matrix product(const Decomposition& d, const Matrix& w) {
  if (const auto* scaled = d.spec.as<ScaledSpec>()) {
    Matrix result = product({scaled->of, d.factors}, w);
    scale_rows(result, d.factors.at("scale"));
    return result;
  }
  TtCores train = {shape_of(*d.spec.as<TtmSpec>()), {}};
  for (int k = 1; k <= train.shape.num_cores(); ++k) {
    train.cores.push_back(d.factors.at(fmt::format("core{}", k)));
  }
  return leading_block(reconstruct(train), w.rows, w.cols);
}

TEST(FisherWeightedTrain, IsTheTtSvdWhereWeightsAreEqual) {
  const Matrix w = random_matrix(24, 60);
  const Decomposition plain = decompose_ttm(w, kRequest);
  const Decomposition even = decompose_fwttm(w, kRequest, even_statistics(24, 60));
  EXPECT_LT(distance(product(even, w), product(plain, w)), 1e-9);
  EXPECT_NEAR(even.error, plain.error, 1e-9);
  EXPECT_EQ(even.spec, plain.spec);
  const Decomposition scaled = decompose_scaled_fwttm(w, kRequest, even_statistics(24, 60));
  EXPECT_LT(distance(product(scaled, w), product(plain, w)), 1e-9);
  EXPECT_NEAR(scaled.error, plain.error, 1e-9);
  EXPECT_EQ(scaled.spec, LinearSpec(ScaledSpec{plain.spec}));
}

TEST(FisherWeightedTrain, LosesLessOfWhatMatters) {
  for (const char* name : {"a", "b", "c"}) {
    const Matrix w = random_matrix(96, 384, name);
    LayerStatistics statistics;
    statistics.fisher = random_fisher(96, 384, name);
    const DecompositionRequest request = {
        .budget = RankBudget{20}, .in = {4, 6, 4}, .out = {6, 8, 8}};
    const auto lost = [&](const Decomposition& d) {
      return weighted_energy(statistics.fisher, subtract(product(d, w), w));
    };
    const double plain = lost(decompose_ttm(w, request));
    EXPECT_LT(lost(decompose_fwttm(w, request, statistics)), 0.95 * plain);
    EXPECT_LT(lost(decompose_scaled_fwttm(w, request, statistics)), 0.95 * plain);
  }
}

TEST(FisherWeightedTrain, TakesWeightsOfZeroAndPadding) {
  const Matrix w = random_matrix(7, 11);
  LayerStatistics statistics;
  statistics.fisher = random_fisher(7, 11, "f");
  for (std::int64_t j = 0; j < 11; ++j) statistics.fisher(2, j) = 0;
  for (const double floor : {0.0, 1e-3}) {
    const Decomposition d = decompose_fwttm(
        w, {.budget = RankBudget{1000}, .in = {3, 3}, .out = {4, 3}, .floor = floor}, statistics);
    EXPECT_LT(d.error, 1e-9) << "rank-capped, it is exact";
  }
  EXPECT_TRUE(contains(message_of<ConfigError>(
                           [] { check_fwttm({.in = 7, .out = 11}, {.budget = ErrorBudget{0.1}}); }),
                       "fwttm has no bound on its error"));
}

TEST(ScaledTrain, KeepsToItsBudgetsInTheNormThatItMinimises) {
  const Matrix w = random_matrix(24, 60);
  LayerStatistics statistics;
  statistics.fisher = random_fisher(24, 60, "f");
  const LinearShape size = {.in = 24, .out = 60};
  const auto cut = [&](const Budget& budget) {
    return decompose_scaled_fwttm(w, {.budget = budget, .floor = 0}, statistics);
  };
  const Decomposition half = cut(ShareBudget{0.5});
  EXPECT_LE(num_weights(half.spec, size), 24 * 60 / 2);
  EXPECT_GT(num_weights(half.spec, size), 24 * 60 / 4);
  EXPECT_NEAR(half.error, distance(product(half, w), w), 1e-9);
  const auto norm = [&](Matrix a) {
    std::vector<double> d = row_sums(statistics.fisher);
    for (double& value : d) value = std::sqrt(value);
    scale_rows(a, d);
    return frobenius_norm(a);
  };
  const Decomposition within = cut(ErrorBudget{0.2});
  EXPECT_LE(norm(subtract(product(within, w), w)), 0.2 * norm(w));
  EXPECT_GT(norm(subtract(product(within, w), w)), 0.02 * norm(w));
  EXPECT_TRUE(contains(
      message_of<ConfigError>([&] { check_scaled_fwttm(size, {.budget = ShareBudget{0.01}}); }),
      "less than rank 1 needs"));
}

TEST(ReducedTrain, ReportsTheChange) {
  const Matrix w = random_matrix(24, 60);
  const Decomposition first = decompose_ttm(w, kRequest);
  const LinearShape size = {.in = 24, .out = 60};
  const Decomposition same = reduce_ttm(first, size, {.budget = RankBudget{9}});
  EXPECT_LT(distance(product(same, w), product(first, w)), 1e-9);
  const Decomposition lower = reduce_ttm(first, size, {.budget = RankBudget{4}});
  EXPECT_NEAR(lower.error, distance(product(lower, w), product(first, w)), 1e-9);
  EXPECT_EQ(lower.spec.as<TtmSpec>()->ranks, (std::vector<std::int64_t>{4, 4}));
  // Quasi-optimal: within sqrt(N - 1) of the TT-SVD of the whole at these ranks, and no better.
  const double single =
      decompose_ttm(product(first, w), {.budget = RankBudget{4}, .in = {4, 3, 2}, .out = {3, 4, 5}})
          .error;
  EXPECT_LT(lower.error, 1.42 * single);
  EXPECT_TRUE(contains(message_of<ConfigError>([&] {
                         reduce_ttm(first, size,
                                    {.budget = RankBudget{4}, .in = {24}, .out = {60}});
                       }),
                       "its modes are in [4, 3, 2] out [3, 4, 5]; want these, or none"));
}

}  // namespace
}  // namespace ty::test
