#include "core/linalg/svd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/linalg/randomized_svd.h"
#include "core/linalg/split.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

void expect_is_svd_of(const Svd& f, const Matrix& a) {
  const std::int64_t k = std::min(a.rows, a.cols);
  ASSERT_EQ(std::ssize(f.sigma), k);
  EXPECT_LT(distance(multiply_transposed(f.u, f.u), identity(k)), 1e-11);
  EXPECT_LT(distance(multiply(f.vt, transpose(f.vt)), identity(k)), 1e-11);
  EXPECT_LT(distance(reconstruct(f), a), 1e-12 * (1.0 + frobenius_norm(a)));
  EXPECT_TRUE(std::is_sorted(f.sigma.rbegin(), f.sigma.rend()));
}

TEST(Svd, FactorsEveryShapeByBothDrivers) {
  for (const auto& [rows, cols] : {std::pair(13, 7), {7, 13}, {9, 9}, {1, 6}, {6, 1}, {37, 211}}) {
    const Matrix a = random_matrix(rows, cols);
    for (SvdDriver driver : {SvdDriver::divide_and_conquer, SvdDriver::qr_iteration}) {
      expect_is_svd_of(svd(a, driver), a);
    }
    expect_is_svd_of(svd(a), a);
  }
}

TEST(Svd, FindsAKnownSpectrum) {
  const std::vector<double> sigma = {9.0, 4.0, 4.0, 0.5, 1e-6};
  const Svd f = svd(matrix_with_spectrum(11, 8, sigma));
  for (std::size_t i = 0; i < sigma.size(); ++i) EXPECT_NEAR(f.sigma[i], sigma[i], 1e-13);
  for (std::size_t i = sigma.size(); i < 8; ++i) EXPECT_NEAR(f.sigma[i], 0.0, 1e-13);
}

TEST(Svd, TakesEmptyAndZeroMatricesAndRefusesNaN) {
  EXPECT_TRUE(svd(Matrix(0, 4)).sigma.empty());
  EXPECT_EQ(svd(Matrix(3, 4)).sigma, std::vector<double>(3, 0.0));
  Matrix a = random_matrix(3, 4);
  a(2, 1) = std::nan("");
  EXPECT_EQ(message_of<NonFiniteError>([&] { svd(a); }),
            "svd: matrix [3, 4] holds nan at [2, 1]; all entries must be finite");
}

TEST(Truncation, KeepsTheFewestValuesThatTheBoundAllows) {
  const std::vector<double> sigma = {4.0, 3.0, 2.0, 1.0};
  const auto rank_within = [&](double bound) {
    return cut_spectrum(sigma, DiscardEnergy{bound}).rank;
  };
  EXPECT_EQ(rank_within(0.0), 4);
  EXPECT_EQ(rank_within(0.999), 4);
  EXPECT_EQ(rank_within(1.0), 3);
  EXPECT_EQ(rank_within(5.0), 2);
  EXPECT_EQ(rank_within(13.99), 2);
  EXPECT_EQ(rank_within(14.0), 1);
  EXPECT_EQ(rank_within(1000.0), 1);  // a matrix of rank 0 has no factors
  EXPECT_EQ(cut_spectrum(sigma, DiscardEnergy{6.0}).discarded_energy, 5.0);
  EXPECT_EQ(cut_spectrum(sigma, KeepRank{3}).discarded_energy, 1.0);
  EXPECT_EQ(cut_spectrum(sigma, KeepRank{9}).rank, 4);
}

TEST(Truncation, RefusesRulesThatSayNothing) {
  EXPECT_EQ(message_of<ConfigError>([] { cut_spectrum({1.0}, KeepRank{0}); }),
            "svd: rank 0 keeps nothing; give 1 or more");
  EXPECT_EQ(message_of<ConfigError>([] { cut_spectrum({1.0}, DiscardEnergy{-1.0}); }),
            "svd: the bound on discarded energy is -1; give 0 or more");
}

TEST(TruncatedSvd, LosesExactlyTheEnergyItReports) {
  const Matrix a = random_matrix(31, 45);
  for (std::int64_t rank : {1, 2, 15, 30, 31}) {
    const TruncatedSvd cut = truncated_svd(a, KeepRank{rank});
    EXPECT_EQ(cut.factors.u.cols, rank);
    EXPECT_NEAR(distance(reconstruct(cut.factors), a), std::sqrt(cut.discarded_energy), 1e-11);
  }
  const double bound = 0.1 * energy(a);
  const TruncatedSvd cut = truncated_svd(a, DiscardEnergy{bound});
  EXPECT_LE(cut.discarded_energy, bound);
  const std::int64_t rank = cut.factors.u.cols;
  EXPECT_GT(truncated_svd(a, KeepRank{rank - 1}).discarded_energy, bound);
}

std::vector<double> decaying(std::size_t n) {
  std::vector<double> sigma;
  for (std::size_t i = 0; i < n; ++i) sigma.push_back(std::pow(0.8, static_cast<double>(i)));
  return sigma;
}

TEST(RandomizedSvd, MatchesTheExactOneWhereTheSpectrumDecays) {
  for (const auto& [rows, cols] : {std::pair(150, 90), {90, 150}}) {
    const Matrix a = matrix_with_spectrum(rows, cols, decaying(80));
    const TruncatedSvd exact = truncated_svd(a, KeepRank{12});
    const TruncatedSvd sampled = randomized_svd(a, 12);
    ASSERT_EQ(sampled.factors.sigma.size(), 12);
    for (std::size_t i = 0; i < 12; ++i) {
      EXPECT_NEAR(sampled.factors.sigma[i], exact.factors.sigma[i], 1e-6);
    }
    EXPECT_LT(distance(multiply_transposed(sampled.factors.u, sampled.factors.u), identity(12)),
              1e-12);
    const double error = distance(reconstruct(sampled.factors), a);
    EXPECT_NEAR(error, std::sqrt(sampled.discarded_energy), 1e-8);
    EXPECT_LT(error, 1.0001 * std::sqrt(exact.discarded_energy));
  }
}

TEST(RandomizedSvd, StaysNearTheBestErrorOnAFlatSpectrumAndGainsByPower) {
  const Matrix a = random_matrix(200, 160);
  const double best = std::sqrt(truncated_svd(a, KeepRank{20}).discarded_energy);
  const auto error = [&](int power) {
    return distance(reconstruct(randomized_svd(a, 20, {.power = power}).factors), a);
  };
  EXPECT_GE(error(2), best * (1.0 - 1e-12));
  EXPECT_LT(error(2), 1.02 * best);
  EXPECT_LT(error(2), error(0));
}

TEST(RandomizedSvd, IsExactForAMatrixOfLowRankAndForALargeSample) {
  const Matrix low = multiply(random_matrix(60, 4, "a"), random_matrix(4, 50, "b"));
  EXPECT_LT(distance(reconstruct(randomized_svd(low, 4).factors), low), 1e-10);
  const Matrix a = random_matrix(20, 30);
  EXPECT_EQ(randomized_svd(a, 15).factors.sigma, truncated_svd(a, KeepRank{15}).factors.sigma);
  EXPECT_EQ(randomized_svd(a, std::numeric_limits<std::int64_t>::max()).factors.sigma.size(), 20);
}

TEST(RandomizedSvd, DependsOnItsSeedAlone) {
  const Matrix a = random_matrix(80, 70);
  const auto values = [&](std::uint64_t seed) {
    return randomized_svd(a, 5, {.seed = seed}).factors.sigma;
  };
  EXPECT_EQ(values(1), values(1));
  EXPECT_NE(values(1), values(2));
}

TEST(Split, ProjectsOnTheLeadingLeftVectorsInEveryShape) {
  for (const auto& [rows, cols] : {std::pair(12, 90), {40, 33}, {90, 12}}) {
    const Matrix a = random_matrix(rows, cols);
    for (std::int64_t rank : {1, 5, 12}) {
      const RangeSplit s = split(a, KeepRank{rank}, SvdMethod::exact);
      EXPECT_LT(distance(multiply_transposed(s.basis, s.basis), identity(rank)), 1e-12);
      EXPECT_LT(distance(multiply_transposed(s.basis, a), s.rest), 1e-11);
      EXPECT_NEAR(s.discarded_energy, truncated_svd(a, KeepRank{rank}).discarded_energy, 1e-9);
      EXPECT_NEAR(energy(subtract(multiply(s.basis, s.rest), a)), s.discarded_energy, 1e-9);
    }
  }
}

TEST(Split, SamplesTheRangeOnlyOfLargeMatricesOfSmallRankUnlessTold) {
  const Matrix a = random_matrix(60, 50);
  const auto lost = [&](SvdMethod method) {
    return split(a, KeepRank{5}, method).discarded_energy;
  };
  EXPECT_EQ(lost(SvdMethod::automatic), lost(SvdMethod::exact));
  EXPECT_GT(lost(SvdMethod::randomized), lost(SvdMethod::exact));
  EXPECT_LT(lost(SvdMethod::randomized), 1.05 * lost(SvdMethod::exact));
  const DiscardEnergy bound{0.3 * energy(a)};
  EXPECT_LE(split(a, bound, SvdMethod::randomized).discarded_energy, bound.bound);
}

}  // namespace
}  // namespace ty::test
