#include "models/linear/kronecker/kronecker.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "models/compress/kronecker.h"
#include "models/compress/svd.h"
#include "models/compress/ttm.h"
#include "models/linear/ttm/tt_svd.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using Sizes = std::vector<std::int64_t>;

Matrix sum_of_products(std::int64_t terms) {
  Matrix w(12, 20);
  for (std::int64_t k = 0; k < terms; ++k) {
    const Matrix term = kronecker(random_matrix(3, 4, fmt::format("a{}", k)),
                                  random_matrix(4, 5, fmt::format("b{}", k)));
    for (std::size_t i = 0; i < w.data.size(); ++i) w.data[i] += term.data[i];
  }
  return w;
}

DecompositionRequest terms(std::int64_t n) {
  return {.budget = RankBudget{n}, .in = {3, 4}, .out = {4, 5}};
}

TEST(Kronecker, ASumOfProductsIsFoundAgain) {
  for (const std::int64_t n : {1, 3}) {
    const Decomposition cut = decompose_kronecker(sum_of_products(n), terms(12));
    EXPECT_EQ(cut.spec.as<KroneckerSpec>()->terms, 12);
    EXPECT_NEAR(decompose_kronecker(sum_of_products(n), terms(n)).error, 0, 1e-10) << n;
    EXPECT_GT(decompose_kronecker(sum_of_products(n + 1), terms(n)).error, 0.1) << n;
  }
}

// |W - W~|^2 is the energy of the singular values that are left out, of W with its entries
// rearranged as [(i1, j1), (i2, j2)].
TEST(Kronecker, TheErrorIsTheTailOfTheRearrangedSpectrum) {
  const Matrix w = random_matrix(12, 20);
  Matrix rearranged(12, 20);
  for (std::int64_t i = 0; i < 12; ++i) {
    for (std::int64_t j = 0; j < 20; ++j) {
      rearranged(i / 4 * 4 + j / 5, i % 4 * 5 + j % 5) = w(i, j);
    }
  }
  for (const std::int64_t n : {1, 2, 5}) {
    EXPECT_NEAR(decompose_kronecker(w, terms(n)).error,
                decompose_svd(rearranged, {.budget = RankBudget{n}}).error, 1e-10);
  }
}

TEST(Kronecker, IsTheTrainOfTwoCores) {
  const Matrix w = random_matrix(12, 20);
  const Decomposition sum = decompose_kronecker(w, terms(2)), train = decompose_ttm(w, terms(2));
  EXPECT_EQ(sum.factors, train.factors);
  EXPECT_EQ(LinearSpec(runs_as(*sum.spec.as<KroneckerSpec>())), train.spec);
}

TEST(Kronecker, ChoosesSizesOfWhichATermHasTheFewestWeights) {
  const KroneckerSpec mlp = resolved(KroneckerSpec{.terms = 2}, {.in = 768, .out = 3072});
  EXPECT_EQ(mlp.in, (Sizes{16, 48}));
  EXPECT_EQ(mlp.out, (Sizes{96, 32}));
  EXPECT_EQ(describe(mlp), "kronecker 2 x [16, 96] (x) [48, 32]");
  EXPECT_EQ(num_weights(mlp, {}), 2 * 2 * 1536);
  // 7 rows cannot be divided.
  const KroneckerSpec odd = resolved(KroneckerSpec{.terms = 1}, {.in = 7, .out = 11});
  EXPECT_EQ(weights_of_term(odd), 7 + 11);
  const KroneckerSpec half = resolved(KroneckerSpec{.keep = 0.5}, {.in = 768, .out = 3072});
  EXPECT_EQ(half.terms, 768 * 3072 / 2 / 3072);
}

TEST(Kronecker, SaysWhatIsWrongWithSizesAndTerms) {
  const LinearShape shape = {.in = 12, .out = 20};
  const auto refusal = [&](const KroneckerSpec& spec) {
    return message_of<ConfigError>([&] { resolved(spec, shape); });
  };
  EXPECT_EQ(refusal({.in = {3, 5}, .out = {4, 5}, .terms = 1}),
            "kronecker: in = [3, 5] multiplies to 15, not to the layer's 12");
  EXPECT_EQ(refusal({.in = {3, 4}, .out = {4, 5}, .terms = 13}),
            "kronecker: 13 terms of [3, 4] (x) [4, 5]; want 1 to 12");
  EXPECT_EQ(fault_of(KroneckerSpec{.in = {3, 4}, .terms = 1})->message,
            "in = [3, 4] wants out beside it; state both or neither");
  EXPECT_EQ(fault_of(KroneckerSpec{.in = {3, 2, 2}, .out = {4, 5, 1}, .terms = 1})->message,
            "[3, 2, 2] has 3 sizes; want two");
  EXPECT_EQ(message_of<ConfigError>([&] {
              check_kronecker(shape, {.budget = RankBudget{1}, .in = {3, 4}, .out = {4, 4}});
            }),
            "kronecker: out = [4, 4] multiplies to 16, not to the layer's 20");
}

}  // namespace
}  // namespace ty::test
