#include "models/linear/btt/btt.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/linalg/svd.h"
#include "models/compress/btt.h"
#include "models/compress/kronecker.h"
#include "models/compress/svd.h"
#include "models/linear/btt/btt_blocks.h"
#include "models/linear/dense_weight.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using Sizes = std::vector<std::int64_t>;

const LinearShape kShape = {.in = 12, .out = 20};

DecompositionRequest rank(std::int64_t n) {
  return {.budget = RankBudget{n}, .in = {4, 3}, .out = {4, 5}};
}

Matrix weight_of(const Decomposition& d) {
  return dense_weight(d.spec, kShape,
                      [&](const std::string& name, const Shape&) { return d.factors.at(name); });
}

// W[i1 3 + i2, j1 5 + j2] = sum_r A[i2][i1, (j1, r)] B[j1][(i2, r), j2], by the formula.
TEST(Btt, TheWeightIsTheSumOfProducts) {
  const Decomposition d = decompose_btt(random_matrix(12, 20), rank(2));
  const std::vector<double>&a = d.factors.at("a"), &b = d.factors.at("b");
  const Matrix w = weight_of(d);
  for (std::int64_t i = 0; i < 12; ++i) {
    for (std::int64_t j = 0; j < 20; ++j) {
      const std::int64_t i1 = i / 3, i2 = i % 3, j1 = j / 5, j2 = j % 5;
      double sum = 0;
      for (std::int64_t r = 0; r < 2; ++r) {
        sum += a[static_cast<std::size_t>(((i2 * 4 + i1) * 4 + j1) * 2 + r)] *
               b[static_cast<std::size_t>(((j1 * 3 + i2) * 2 + r) * 5 + j2)];
      }
      EXPECT_NEAR(w(i, j), sum, 1e-12);
    }
  }
}

TEST(Btt, LosesTheTailsOfAllBlocks) {
  const Matrix w = random_matrix(12, 20);
  for (const std::int64_t n : {1, 3}) {
    double tail = 0;
    for (std::int64_t i2 = 0; i2 < 3; ++i2) {
      for (std::int64_t j1 = 0; j1 < 4; ++j1) {
        Matrix block(4, 5);
        for (std::int64_t i1 = 0; i1 < 4; ++i1) {
          for (std::int64_t j2 = 0; j2 < 5; ++j2) block(i1, j2) = w(i1 * 3 + i2, j1 * 5 + j2);
        }
        const std::vector<double> sigma = singular_values(block);
        for (std::size_t k = static_cast<std::size_t>(n); k < 4; ++k) tail += sigma[k] * sigma[k];
      }
    }
    const Decomposition d = decompose_btt(w, rank(n));
    EXPECT_NEAR(d.error, std::sqrt(tail), 1e-10);
    EXPECT_NEAR(frobenius_norm(subtract(weight_of(d), w)), d.error, 1e-10);
    const std::vector<double> energies = btt_energies(w, {{4, 3}, {4, 5}});
    EXPECT_NEAR(energies[static_cast<std::size_t>(n)], tail, 1e-10);
  }
  EXPECT_NEAR(decompose_btt(w, rank(1000)).error, 0, 1e-10);
}

TEST(Btt, OfOneBlockIsTheSvd) {
  const Matrix w = random_matrix(12, 20);
  const Decomposition d =
      decompose_btt(w, {.budget = RankBudget{3}, .in = {12, 1}, .out = {1, 20}});
  EXPECT_NEAR(d.error, decompose_svd(w, {.budget = RankBudget{3}}).error, 1e-10);
}

// A train of two cores is one of blocks that share them.
TEST(Btt, HoldsEverySumOfSoManyKroneckerProducts) {
  const DecompositionRequest sum = {.budget = RankBudget{2}, .in = {4, 3}, .out = {4, 5}};
  const Decomposition train = decompose_kronecker(random_matrix(12, 20), sum);
  const Matrix w = dense_weight(train.spec, kShape, [&](const std::string& name, const Shape&) {
    return train.factors.at(name);
  });
  EXPECT_NEAR(decompose_btt(w, rank(2)).error, 0, 1e-10);
}

TEST(Btt, ChoosesSquareBlocks) {
  const BttSpec up = resolved(BttSpec{.keep = 0.4}, {.in = 768, .out = 3072});
  EXPECT_EQ(up.in, (Sizes{32, 24}));
  EXPECT_EQ(up.out, (Sizes{48, 64}));
  EXPECT_EQ(weights_of_rank(up), 110'592);
  EXPECT_EQ(up.rank, 8);
  EXPECT_EQ(describe(up), "btt rank 8 of blocks [32, 64], 24 x 48 of them");
  EXPECT_EQ(most_ranks(up), 32);
}

TEST(Btt, TakesTheFewestRanksWithinAnError) {
  const Matrix w = random_matrix(12, 20);
  const double norm = frobenius_norm(w);
  const double error = decompose_btt(w, rank(2)).error;
  DecompositionRequest request = rank(1);
  request.budget = ErrorBudget{1.001 * error / norm};
  EXPECT_EQ(decompose_btt(w, request).spec.as<BttSpec>()->rank, 2);
  request.budget = ErrorBudget{0.999 * error / norm};
  EXPECT_EQ(decompose_btt(w, request).spec.as<BttSpec>()->rank, 3);
}

TEST(Btt, SaysWhatIsWrongWithSizesAndRank) {
  const auto refusal = [&](const BttSpec& spec) {
    return message_of<ConfigError>([&] { resolved(spec, kShape); });
  };
  EXPECT_EQ(refusal({.in = {4, 5}, .out = {4, 5}, .rank = 1}),
            "btt: in = [4, 5] multiplies to 20, not to the layer's 12");
  EXPECT_EQ(refusal({.in = {4, 3}, .out = {4, 5}, .rank = 5}),
            "btt: rank 5 of blocks [4, 5]; want 1 to 4");
  EXPECT_EQ(fault_of(BttSpec{.in = {4, 3}, .rank = 1})->message,
            "in = [4, 3] wants out beside it; state both or neither");
  EXPECT_TRUE(
      contains(message_of<ConfigError>([&] {
                 check_btt(kShape, {.budget = ShareBudget{0.1}, .in = {4, 3}, .out = {4, 5}});
               }),
               "a share of 0.1 is less than rank 1 needs, 108 of 240 weights"));
}

}  // namespace
}  // namespace ty::test
