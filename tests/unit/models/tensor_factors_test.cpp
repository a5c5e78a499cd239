// CP and Tucker decompositions of a weight.
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "models/compress/cp.h"
#include "models/compress/kronecker.h"
#include "models/compress/tucker.h"
#include "models/linear/cp/cp.h"
#include "models/linear/cp/cp_als.h"
#include "models/linear/tucker/hosvd.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

const TtmShape kModes = with_rank({2, 3, 2}, {3, 2, 4}, 1);  // n = 6, 6, 8

// A sum of threefold Kronecker products: cp of so many terms.
Matrix sum_of_terms(std::int64_t terms) {
  Matrix w(12, 24);
  for (std::int64_t k = 0; k < terms; ++k) {
    const auto part = [&](std::int64_t in, std::int64_t out, const char* name) {
      return random_matrix(in, out, fmt::format("{}{}", name, k));
    };
    const Matrix term = kronecker(part(2, 3, "a"), kronecker(part(3, 2, "b"), part(2, 4, "c")));
    for (std::size_t i = 0; i < w.data.size(); ++i) w.data[i] += term.data[i];
  }
  return w;
}

DecompositionRequest request(const Budget& budget) {
  return {.budget = budget, .in = kModes.in, .out = kModes.out};
}

TEST(Cp, ASumOfTermsIsFoundAgain) {
  for (const std::int64_t terms : {1, 2, 4}) {
    const Matrix w = sum_of_terms(terms);
    const CpFit fit = cp_als(w, kModes, terms, {.sweeps = 500, .tolerance = 1e-12});
    EXPECT_LT(fit.error, 1e-6 * frobenius_norm(w)) << terms;
  }
  EXPECT_GT(cp_als(sum_of_terms(4), kModes, 3).error, 1e-2);
}

TEST(Cp, TheErrorNeverGrowsFromSweepToSweep) {
  const CpFit fit = cp_als(random_matrix(12, 24), kModes, 5);
  ASSERT_GT(fit.errors.size(), 3U);
  for (std::size_t i = 1; i < fit.errors.size(); ++i) {
    EXPECT_LE(fit.errors[i], fit.errors[i - 1] * (1 + 1e-9)) << i;
  }
}

TEST(Cp, OfTwoModesIsTheNearestSumOfKroneckerProducts) {
  const Matrix w = random_matrix(12, 20);
  const DecompositionRequest two = {.budget = RankBudget{3}, .in = {3, 4}, .out = {4, 5}};
  EXPECT_NEAR(decompose_cp(w, two).error, decompose_kronecker(w, two).error, 1e-3);
}

TEST(Cp, SaysThatAnErrorDoesNotGiveTerms) {
  EXPECT_EQ(
      message_of<ConfigError>([] { decompose_cp(sum_of_terms(1), request(ErrorBudget{0.1})); }),
      "cp: no number of terms is known for an error; want --rank or --keep");
}

// 6 x 6 x 8 entries: 36 terms can be any tensor.
TEST(Cp, SaysHowManyTermsAreOfUse) {
  const LinearShape size = {.in = 12, .out = 24};
  check_cp(size, request(RankBudget{36}));
  check_cp(size, request(ShareBudget{1}));
  EXPECT_EQ(message_of<ConfigError>([&] { check_cp(size, request(RankBudget{37})); }),
            "cp: 37 terms of in [2, 3, 2] out [3, 2, 4]; want 1 to 36, which can be any matrix");
}

TEST(Tucker, FullRanksAreExact) {
  const Matrix w = random_matrix(12, 24);
  EXPECT_NEAR(decompose_tucker(w, request(RankBudget{100})).error, 0, 1e-9);
}

TEST(Tucker, TheErrorIsWithinTheBoundOfWhatUnfoldingsDiscard) {
  Matrix w = sum_of_terms(6);
  for (const double eps : {0.2, 0.5, 0.8}) {
    const TuckerFit fit = hosvd_within(w, kModes, eps);
    EXPECT_LE(fit.error, eps * frobenius_norm(w));
    EXPECT_GT(fit.error, 0) << eps;
  }
}

TEST(Tucker, ATensorOfLowRanksIsFoundAgain) {
  // Two cp terms are a tensor of ranks 2, 2, 2.
  EXPECT_NEAR(hosvd(sum_of_terms(2), kModes, {2, 2, 2}).error, 0, 1e-9);
  EXPECT_GT(hosvd(sum_of_terms(3), kModes, {2, 2, 2}).error, 1e-2);
}

TEST(Tucker, RanksAreWhatTheModesCanUseAndTheBudgetHasRoomFor) {
  EXPECT_EQ(even_ranks(kModes, 7), (TuckerRanks{6, 6, 7}));
  EXPECT_EQ(even_ranks(with_rank({1, 1, 2}, {2, 1, 4}, 1), 8), (TuckerRanks{2, 1, 2}));
  const TuckerRanks ranks = ranks_within(kModes, 144);
  EXPECT_LE(tucker_weights(kModes, ranks), 144);
  EXPECT_EQ(ranks, (TuckerRanks{4, 4, 4}));  // 64 + 4 (6 + 6 + 8) = 144
  EXPECT_EQ(ranks_within(kModes, 143), (TuckerRanks{3, 3, 3}));
}

}  // namespace
}  // namespace ty::test
