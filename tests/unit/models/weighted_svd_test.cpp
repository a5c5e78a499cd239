// Methods of the svd kind that weigh errors by what data says, and their identities.
#include <gtest/gtest.h>

#include <cmath>

#include "models/compress/asvd.h"
#include "models/compress/fwsvd.h"
#include "models/compress/importance.h"
#include "models/compress/svd.h"
#include "models/compress/tfwsvd.h"
#include "models/compress/whitened.h"
#include "tests/support/statistics.h"

namespace ty::test {
namespace {

constexpr std::int64_t kIn = 18, kOut = 27, kRank = 5;

DecompositionRequest request(double floor = 0, WeightAxis axis = WeightAxis::in) {
  return {.budget = RankBudget{kRank}, .axis = axis, .floor = floor};
}

Matrix product(const Decomposition& d, const Matrix& w) {
  const auto& a = d.factors.at("a");
  const auto rank = std::ssize(a) / w.rows;
  return multiply(Matrix(w.rows, rank, a), Matrix(rank, w.cols, d.factors.at("b")));
}

LayerStatistics with_fisher(Matrix fisher) {
  LayerStatistics statistics;
  statistics.fisher = std::move(fisher);
  return statistics;
}

double row_weighted_energy(Matrix apart, const std::vector<double>& sums) {
  for (std::int64_t i = 0; i < apart.rows; ++i) {
    for (std::int64_t j = 0; j < apart.cols; ++j) {
      apart(i, j) *= std::sqrt(sums[static_cast<std::size_t>(i)]);
    }
  }
  return energy(apart);
}

TEST(WeightedSvd, IsPlainSvdWhereDataSaysNothing) {
  const Matrix w = random_matrix(kIn, kOut);
  const Matrix plain = product(decompose_svd(w, request()), w);
  const LayerStatistics even = even_statistics(kIn, kOut);
  for (const Method& method : methods()) {
    if (method.kind != "svd") continue;
    for (const WeightAxis axis : {WeightAxis::in, WeightAxis::out, WeightAxis::both}) {
      const Decomposition d = method.decompose(w, request(1e-3, axis), even);
      EXPECT_LT(distance(product(d, w), plain), 1e-8) << method.name;
      EXPECT_NEAR(d.error, distance(plain, w), 1e-8) << method.name;
    }
  }
}

TEST(WeightedSvd, OfFullRankIsTheWeight) {
  const Matrix w = random_matrix(kIn, kOut);
  LayerStatistics statistics = even_statistics(kIn, kOut);
  statistics.fisher = random_fisher(kIn, kOut, "f");
  const Matrix x = random_matrix(40, kIn, "x");
  statistics.gram = multiply_transposed(x, x);
  for (const Method& method : methods()) {
    if (method.kind != "svd") continue;
    const Decomposition d = method.decompose(w, {.budget = RankBudget{1000}}, statistics);
    EXPECT_LT(distance(product(d, w), w), 1e-8 * frobenius_norm(w)) << method.name;
  }
}

TEST(FisherWeightedSvd, IsNeverAboveSvdInItsNorm) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    const Matrix w = random_matrix(kIn, kOut, name);
    const LayerStatistics statistics = with_fisher(random_fisher(kIn, kOut, name));
    const Matrix plain = product(decompose_svd(w, request()), w);
    const auto of = [&](WeightAxis axis) {
      return product(decompose_by<weigh_by_fisher>(w, request(0, axis), statistics), w);
    };
    const std::vector<double> rows = row_sums(statistics.fisher);
    EXPECT_LT(row_weighted_energy(subtract(of(WeightAxis::in), w), rows),
              0.999 * row_weighted_energy(subtract(plain, w), rows));
    const std::vector<double> columns = column_sums(statistics.fisher);
    EXPECT_LT(row_weighted_energy(transpose(subtract(of(WeightAxis::out), w)), columns),
              0.999 * row_weighted_energy(transpose(subtract(plain, w)), columns));
    // Not asserted of every F: with both sides an entry's weight is about right.
    EXPECT_LT(weighted_energy(statistics.fisher, subtract(of(WeightAxis::both), w)),
              weighted_energy(statistics.fisher, subtract(of(WeightAxis::in), w)));
  }
}

TEST(LoraWeightedSvd, IsThatOfFisherInformationWhereImportancesAreItsSums) {
  const Matrix w = random_matrix(kIn, kOut), fisher = random_fisher(kIn, kOut, "f");
  LayerStatistics of_adapter;
  of_adapter.lora_rows = row_sums(fisher);
  of_adapter.lora_columns = column_sums(fisher);
  for (const WeightAxis axis : {WeightAxis::in, WeightAxis::out, WeightAxis::both}) {
    const DecompositionRequest wanted = request(1e-3, axis);
    const auto by_fisher = decompose_by<weigh_by_fisher>(w, wanted, with_fisher(fisher));
    EXPECT_EQ(decompose_by<weigh_by_lora>(w, wanted, of_adapter).factors, by_fisher.factors);
    EXPECT_NE(decompose_svd(w, wanted).factors, by_fisher.factors);
  }
}

TEST(FisherWeightedSvd, KnowsItsErrorFromTheSpectrum) {
  const Matrix w = random_matrix(kIn, kOut);
  const LayerStatistics statistics = with_fisher(random_fisher(kIn, kOut, "f"));
  const WeightedMatrix weighted = weigh_by_fisher(w, request(), statistics);
  const SvdFactors cut = factors_of(weighted, KeepRank{kRank});
  const double error =
      row_weighted_energy(subtract(multiply(cut.a, cut.b), w), row_sums(statistics.fisher));
  EXPECT_NEAR(cut.error * cut.error, error, 1e-9 * error);
  // An ErrorBudget is kept in that norm.
  const Decomposition d =
      decompose_by<weigh_by_fisher>(w, {.budget = ErrorBudget{0.3}, .floor = 0}, statistics);
  EXPECT_LE(row_weighted_energy(subtract(product(d, w), w), row_sums(statistics.fisher)),
            0.09 * energy(weighted.weighted));
}

TEST(FisherWeightedSvd, TakesRowsWithoutInformation) {
  const Matrix w = random_matrix(kIn, kOut);
  Matrix fisher = random_fisher(kIn, kOut, "f");
  for (std::int64_t j = 0; j < kOut; ++j) fisher(3, j) = fisher(7, j) = 0;
  for (const double floor : {0.0, 1e-3}) {
    for (const auto decompose :
         {decompose_by<weigh_by_fisher>, decompose_tfwsvd, decompose_tfwsvd_gradient}) {
      EXPECT_TRUE(
          std::isfinite(decompose(w, request(floor, WeightAxis::both), with_fisher(fisher)).error));
      const Matrix nothing(kIn, kOut);
      EXPECT_TRUE(std::isfinite(decompose(w, request(floor), with_fisher(nothing)).error));
    }
  }
}

TEST(EntryWeightedSvd, NeverRisesAndEndsBelowItsStart) {
  for (const char* name : {"a", "b", "c"}) {
    const Matrix w = random_matrix(kIn, kOut, name), fisher = random_fisher(kIn, kOut, name);
    const LayerStatistics statistics = with_fisher(fisher);
    const SvdFactors start =
        factors_of(weigh_by_fisher(w, request(1e-3), statistics), KeepRank{kRank});
    const FactorFit fit = fit_factors(w, fisher, start.a, start.b, {});
    ASSERT_GT(fit.objective.size(), 4u);
    for (std::size_t i = 1; i < fit.objective.size(); ++i) {
      EXPECT_LE(fit.objective[i], fit.objective[i - 1] * (1 + 1e-12)) << i;
    }
    const auto weighted = [&](const Decomposition& d) {
      return weighted_energy(fisher, subtract(product(d, w), w));
    };
    const double by_rows = weighted(decompose_by<weigh_by_fisher>(w, request(1e-3), statistics));
    EXPECT_LT(weighted(decompose_tfwsvd(w, request(1e-3), statistics)), 0.9 * by_rows);
  }
}

TEST(EntryWeightedSvd, ComesAsFarByDescentAsByLeastSquares) {
  for (const char* name : {"a", "b", "c"}) {
    for (const double scale : {1.0, 1e-9}) {
      const Matrix w = random_matrix(kIn, kOut, name);
      Matrix fisher = random_fisher(kIn, kOut, name);
      for (double& value : fisher.data) value *= scale;
      const LayerStatistics statistics = with_fisher(fisher);
      const auto weighted = [&](const Decomposition& d) {
        return weighted_energy(fisher, subtract(product(d, w), w));
      };
      const double by_rows = weighted(decompose_by<weigh_by_fisher>(w, request(1e-3), statistics));
      const double exact = weighted(decompose_tfwsvd(w, request(1e-3), statistics));
      const double descended = weighted(decompose_tfwsvd_gradient(w, request(1e-3), statistics));
      EXPECT_LT(descended, 0.9 * by_rows);
      EXPECT_LT(descended, 1.1 * exact);
    }
  }
}

TEST(EntryWeightedSvd, FindsTheSvdFromAnyStartWhereWeightsAreEqual) {
  const Matrix w = matrix_with_spectrum(kIn, kOut, {8, 7, 6, 5, 4, 1, 0.5});
  const FactorFit fit =
      fit_factors(w, even_statistics(kIn, kOut).fisher, random_matrix(kIn, kRank, "a"),
                  random_matrix(kRank, kOut, "b"), {.sweeps = 200, .ridge = 0, .tolerance = 1e-14});
  EXPECT_NEAR(distance(multiply(fit.a, fit.b), w), std::sqrt(1 + 0.25), 1e-6);
}

TEST(WhitenedSvd, KnowsTheErrorOfTheOutputs) {
  const Matrix w = random_matrix(kIn, kOut);
  // Inputs of few directions: some of very little weight, and (5 rows) of none at all.
  for (const std::int64_t rows : {200, 5}) {
    Matrix x = random_matrix(rows, kIn, "x");
    std::vector<double> scales;
    for (std::int64_t i = 0; i < kIn; ++i)
      scales.push_back(std::exp(-0.4 * static_cast<double>(i)));
    scale_columns(x, scales);
    x = multiply(x, qr(random_matrix(kIn, kIn, "turn")).q);
    LayerStatistics statistics;
    statistics.gram = multiply_transposed(x, x);
    const auto output_error = [&](const Matrix& after) {
      return frobenius_norm(multiply(x, subtract(after, w)));
    };
    const SvdFactors cut = factors_of(weigh_by_gram(w, request(), statistics), KeepRank{4});
    const double error = output_error(multiply(cut.a, cut.b));
    if (rows > kIn) {
      EXPECT_NEAR(error, cut.error, 1e-6 * cut.error);
      EXPECT_LT(error, 0.8 * output_error(product(decompose_svd(w, {.budget = RankBudget{4}}), w)));
    } else {
      const SvdFactors exact = factors_of(weigh_by_gram(w, request(), statistics), KeepRank{5});
      EXPECT_LT(output_error(multiply(exact.a, exact.b)), 1e-3 * frobenius_norm(multiply(x, w)));
    }
  }
}

TEST(ActivationAwareSvd, WeighsRowsByTheirInputs) {
  const Matrix w = random_matrix(kIn, kOut);
  LayerStatistics statistics;
  for (std::int64_t i = 0; i < kIn; ++i) {
    statistics.mean_input.push_back(std::exp(0.3 * static_cast<double>(i)));
  }
  const auto error = [&](const Decomposition& d) {  // |x|^alpha squared, alpha 0.5
    return row_weighted_energy(subtract(product(d, w), w), statistics.mean_input);
  };
  EXPECT_LT(error(decompose_by<weigh_by_inputs>(w, request(), statistics)),
            0.9 * error(decompose_svd(w, request())));
}

TEST(ReducedFactors, AreThoseOfASingleCut) {
  const Matrix w = random_matrix(kIn, kOut);
  SvdFactors step = svd_factors(w, KeepRank{16});
  for (const std::int64_t rank : {9, 6, 3}) step = reduced_factors(step.a, step.b, KeepRank{rank});
  const SvdFactors single = svd_factors(w, KeepRank{3});
  EXPECT_LT(distance(multiply(step.a, step.b), multiply(single.a, single.b)), 1e-9);

  // Factors that training has moved: the exact merge is the best cut of their product.
  const Matrix a = random_matrix(kIn, 9, "a"), b = random_matrix(9, kOut, "b");
  const SvdFactors exact = reduced_factors(a, b, KeepRank{4});
  const SvdFactors second = reduced_factors(a, b, KeepRank{4}, FactorMerge::second);
  EXPECT_NEAR(exact.error, svd_factors(multiply(a, b), KeepRank{4}).error, 1e-9);
  EXPECT_NEAR(exact.error, distance(multiply(exact.a, exact.b), multiply(a, b)), 1e-9);
  EXPECT_NEAR(second.error, distance(multiply(second.a, second.b), multiply(a, b)), 1e-9);
  EXPECT_LT(exact.error, 0.99 * second.error);
}

}  // namespace
}  // namespace ty::test
