#include "models/linear/svd/svd_factors.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "models/linear/base/spec.h"
#include "models/linear/svd/svd.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

TEST(SvdFactors, ErrorIsTheTailOfTheSpectrum) {
  const Matrix w = random_matrix(23, 37);
  const Svd full = svd(w);
  for (std::int64_t rank : {1, 4, 11, 22, 23, 50}) {
    const SvdFactors f = svd_factors(w, KeepRank{rank});
    double tail = 0.0;
    for (auto i = static_cast<std::size_t>(rank); i < full.sigma.size(); ++i) {
      tail += full.sigma[i] * full.sigma[i];
    }
    EXPECT_NEAR(distance(multiply(f.a, f.b), w), std::sqrt(tail), 1e-11);
    EXPECT_NEAR(f.error, std::sqrt(tail), 1e-12);
    EXPECT_NEAR(frobenius_norm(f.a), frobenius_norm(f.b), 1e-11);  // both carry sqrt(sigma)
  }
}

TEST(SvdFactors, NoPerturbationOfTheFactorsIsBetter) {
  const Matrix w = random_matrix(19, 13);
  const SvdFactors best = svd_factors(w, KeepRank{4});
  for (int trial = 0; trial < 40; ++trial) {
    const double step = std::pow(10.0, -4.0 + trial % 4);
    const auto perturbed = [&](const Matrix& a, const char* name) {
      Matrix noise = random_matrix(a.rows, a.cols, name + std::to_string(trial));
      for (double& value : noise.data) value *= step;
      return subtract(a, noise);
    };
    const Matrix near = multiply(perturbed(best.a, "a"), perturbed(best.b, "b"));
    EXPECT_GT(distance(near, w), best.error);
  }
}

TEST(SvdFactors, KeepsToARelativeTolerance) {
  const Matrix w = random_matrix(19, 28);
  for (double eps : {0.0, 0.05, 0.3, 0.7}) {
    const SvdFactors f = svd_factors(w, within_relative(w, eps));
    EXPECT_LE(f.error, eps * frobenius_norm(w) + 1e-12);
    if (f.a.cols > 1) {
      EXPECT_GT(svd_factors(w, KeepRank{f.a.cols - 1}).error, eps * frobenius_norm(w));
    }
  }
  EXPECT_EQ(message_of<ConfigError>([&] { within_relative(w, -1.0); }),
            "svd: tolerance -1 is below 0");
}

TEST(SvdFactors, CountsRanksAndParameters) {
  EXPECT_EQ(break_even_rank(768, 3072), 614);
  EXPECT_EQ(break_even_rank(1024, 4096), 819);
  EXPECT_EQ(svd_parameters(768, 3072, 6), 23'040);
  const auto rank_for_share = [](double share) {
    return resolved(SvdSpec{.keep = share}, {.in = 768, .out = 3072}).rank;
  };
  EXPECT_EQ(rank_for_share(1.0), 614);
  EXPECT_EQ(rank_for_share(0.5), 307);
  // BERT and BART with both feed-forward matrices of every block at these ranks.
  const auto model = [](std::int64_t dense, std::int64_t rank) {
    return dense + 24 * svd_parameters(768, 3072, rank);
  };
  EXPECT_EQ(model(52'859'136, 6), 53'412'096);
  EXPECT_EQ(model(52'859'136, 183), 69'724'416);
  EXPECT_EQ(model(52'859'136, 534), 102'072'576);
  EXPECT_EQ(model(82'797'312, 10), 83'718'912);
  EXPECT_EQ(model(82'797'312, 210), 102'150'912);
  EXPECT_EQ(model(82'797'312, 460), 125'190'912);
  // GPT-2 medium with rank 50 in 17 of its 24 blocks.
  EXPECT_EQ(354'823'168 - 17 * 2 * (1024 * 4096 - svd_parameters(1024, 4096, 50)), 220'920'832);
}

}  // namespace
}  // namespace ty::test
