#include "models/linear/ttm/tt_svd.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using Sizes = std::vector<std::int64_t>;

struct Modes {
  Sizes in, out;
  std::int64_t rows() const { return with_rank(in, out, 1).padded_in(); }
  std::int64_t cols() const { return with_rank(in, out, 1).padded_out(); }
};

const Modes kOdd = {{3, 4, 5}, {2, 3, 3}};
const Modes kFour = {{2, 3, 1, 4}, {3, 1, 5, 2}};
const Modes kAll[] = {kOdd, kFour, {{7, 3}, {2, 5}}, {{1, 6, 5}, {7, 1, 2}}, {{9}, {4}}};
constexpr std::int64_t kUnlimited = 1'000'000;

TtCores random_train(const TtmShape& shape) {
  TtCores train = {shape, {}};
  for (int k = 0; k < shape.num_cores(); ++k) {
    train.cores.push_back(random_matrix(1, shape.core_size(k), "core" + std::to_string(k)).data);
  }
  return train;
}

// W[i, j] by its formula: the product of one small matrix per core, picked by the digits.
double element(const TtCores& train, std::int64_t i, std::int64_t j) {
  Matrix right(1, 1, {1.0});  // [R_k, 1]
  for (int k = train.shape.num_cores() - 1; k >= 0; --k) {
    const auto [left_rank, in, out, right_rank] = train.shape.core_shape(k);
    Matrix slice(left_rank, right_rank);
    for (std::int64_t r = 0; r < left_rank; ++r) {
      for (std::int64_t s = 0; s < right_rank; ++s) {
        const std::int64_t at = ((r * in + i % in) * out + j % out) * right_rank + s;
        slice(r, s) = train.cores[static_cast<std::size_t>(k)][static_cast<std::size_t>(at)];
      }
    }
    right = multiply(slice, right);
    i /= in;
    j /= out;
  }
  return right(0, 0);
}

// Squared error of the best approximation whose rank at a bond is `rank`, by reordering W into
// [(i_1 j_1 .. i_k j_k), the others] digit by digit.
double best_bond_energy(const Matrix& w, const Modes& modes, std::size_t bond, std::int64_t rank) {
  const auto tail = [&](const Sizes& sizes) {
    std::int64_t product = 1;
    for (std::size_t k = bond; k < sizes.size(); ++k) product *= sizes[k];
    return product;
  };
  const std::int64_t in = tail(modes.in), out = tail(modes.out);
  const std::int64_t head_out = w.cols / out;
  Matrix unfolded(w.rows / in * head_out, in * out);
  for (std::int64_t i = 0; i < w.rows; ++i) {
    for (std::int64_t j = 0; j < w.cols; ++j) {
      unfolded(i / in * head_out + j / out, i % in * out + j % out) = w(i, j);
    }
  }
  return truncated_svd(unfolded, KeepRank{rank}).discarded_energy;
}

TEST(Tt, ReconstructsEveryElementByTheFormula) {
  for (const Modes& modes : kAll) {
    const TtCores train = random_train(with_rank(modes.in, modes.out, 3));
    const Matrix w = reconstruct(train);
    ASSERT_EQ(w.rows, modes.rows());
    ASSERT_EQ(w.cols, modes.cols());
    for (std::int64_t i = 0; i < w.rows; ++i) {
      for (std::int64_t j = 0; j < w.cols; ++j) {
        ASSERT_NEAR(w(i, j), element(train, i, j), 1e-11) << i << ", " << j;
      }
    }
  }
}

TEST(Tt, RefusesCoresOfAnotherSize) {
  TtCores train = random_train(with_rank({2, 3}, {4, 5}, 2));
  train.cores[1].pop_back();
  EXPECT_EQ(message_of<ShapeError>([&] { reconstruct(train); }),
            "tt: the cores do not have the sizes of in [2, 3] out [4, 5] ranks [2]");
}

TEST(TtSvd, AtFullRankIsExactAndHasTheClippedShape) {
  for (const Modes& modes : kAll) {
    const Matrix w = random_matrix(modes.rows(), modes.cols());
    const TtApproximation full = tt_svd(w, modes.in, modes.out, UniformRank{kUnlimited});
    EXPECT_EQ(full.train.shape, clip_ranks(with_rank(modes.in, modes.out, kUnlimited)));
    EXPECT_LT(distance(reconstruct(full.train), w), 1e-10);
    EXPECT_LT(full.error, 1e-10);
  }
}

TEST(TtSvd, ErrorEqualsItsReportAndStaysWithinTheBound) {
  for (const Modes& modes : {kOdd, kFour}) {
    const Matrix w = random_matrix(modes.rows(), modes.cols());
    for (std::int64_t rank : {1, 2, 3, 5, 6}) {
      const TtApproximation tt = tt_svd(w, modes.in, modes.out, UniformRank{rank});
      const double error = distance(reconstruct(tt.train), w);
      EXPECT_NEAR(error, tt.error, 1e-10);
      // No train of these ranks beats the best at its worst bond; sqrt(N - 1) of it is promised,
      // and the sum over bonds is a sharper promise.
      double worst = 0.0, sum = 0.0;
      for (std::size_t bond = 1; bond < modes.in.size(); ++bond) {
        const double best = best_bond_energy(w, modes, bond, tt.train.shape.ranks[bond]);
        worst = std::max(worst, best);
        sum += best;
      }
      EXPECT_GE(error, std::sqrt(worst) - 1e-10);
      EXPECT_LE(error, std::sqrt(sum) + 1e-10);
    }
  }
}

TEST(TtSvd, TakesOneRankPerBond) {
  const Matrix w = random_matrix(60, 18);
  const TtApproximation tt = tt_svd(w, kOdd.in, kOdd.out, BondRanks{{2, 7}});
  EXPECT_EQ(tt.train.shape.ranks, (Sizes{1, 2, 7, 1}));
  EXPECT_NEAR(distance(reconstruct(tt.train), w), tt.error, 1e-10);
  const Sizes wanted = {1, 100};  // the bond takes no more than 1 * 12
  EXPECT_EQ(tt_svd(w, kOdd.in, kOdd.out, BondRanks{wanted}).train.shape,
            clip_ranks(with_ranks(kOdd.in, kOdd.out, wanted)));
}

TEST(TtSvd, KeepsToARelativeTolerance) {
  for (const Modes& modes : {kOdd, kFour}) {
    const Matrix w = random_matrix(modes.rows(), modes.cols());
    std::int64_t before = kUnlimited;
    for (double eps : {0.0, 0.1, 0.3, 0.6, 0.9}) {
      const TtApproximation tt = tt_svd(w, modes.in, modes.out, RelativeTolerance{eps});
      EXPECT_LE(distance(reconstruct(tt.train), w), eps * frobenius_norm(w) + 1e-10);
      EXPECT_LE(tt.train.shape.num_parameters(), before);
      before = tt.train.shape.num_parameters();
    }
  }
  // A train of low rank is recognised as such.
  const TtCores train = random_train(with_rank(kOdd.in, kOdd.out, 2));
  const TtApproximation found =
      tt_svd(reconstruct(train), kOdd.in, kOdd.out, RelativeTolerance{1e-10});
  EXPECT_EQ(found.train.shape, train.shape);
}

// What one bond leaves of the allowance, the next one has.
TEST(TtSvd, TheLastBondHasNoRankToSpare) {
  for (const Modes& modes : {kOdd, kFour}) {
    const Matrix w = random_matrix(modes.rows(), modes.cols());
    for (double eps : {0.2, 0.3, 0.4, 0.5, 0.6, 0.7}) {
      const double allowed = eps * frobenius_norm(w);
      Sizes ranks = tt_svd(w, modes.in, modes.out, RelativeTolerance{eps}).train.shape.ranks;
      ranks.erase(ranks.begin());
      ranks.pop_back();
      EXPECT_LE(tt_svd(w, modes.in, modes.out, BondRanks{ranks}).error, allowed);
      --ranks.back();
      EXPECT_GT(tt_svd(w, modes.in, modes.out, BondRanks{ranks}).error, allowed) << eps;
    }
  }
}

TEST(TtSvd, AKroneckerProductHasRankOne) {
  const Matrix a = random_matrix(3, 4, "a"), b = random_matrix(5, 2, "b"),
               c = random_matrix(2, 3, "c");
  const Matrix w = kronecker(kronecker(a, b), c);
  const TtApproximation tt = tt_svd(w, {3, 5, 2}, {4, 2, 3}, UniformRank{1});
  EXPECT_LT(tt.error, 1e-10);
  EXPECT_LT(distance(reconstruct(tt.train), w), 1e-10);
  // Digits in another order do not match.
  EXPECT_GT(tt_svd(w, {2, 5, 3}, {3, 2, 4}, UniformRank{1}).error, 0.1 * frobenius_norm(w));
}

TEST(TtSvd, WithOneCoreIsTheDenseMatrix) {
  const Matrix w = random_matrix(9, 4);
  const TtApproximation tt = tt_svd(w, {9}, {4}, UniformRank{3});
  EXPECT_EQ(tt.train.cores[0], w.data);
  EXPECT_EQ(tt.error, 0.0);
  EXPECT_EQ(tt_round(tt.train, UniformRank{1}).train.cores[0], w.data);
}

TEST(TtSvd, WithTwoCoresIsASumOfKroneckerProducts) {
  const std::int64_t rank = 3;
  const Matrix w = random_matrix(21, 10);
  const TtApproximation tt = tt_svd(w, {7, 3}, {2, 5}, UniformRank{rank});
  Matrix sum(21, 10);
  for (std::int64_t r = 0; r < rank; ++r) {
    Matrix a(7, 2), b(3, 5);
    for (std::int64_t i = 0; i < 14; ++i) {
      a.data[static_cast<std::size_t>(i)] =
          tt.train.cores[0][static_cast<std::size_t>(i * rank + r)];
    }
    for (std::int64_t i = 0; i < 15; ++i) {
      b.data[static_cast<std::size_t>(i)] = tt.train.cores[1][static_cast<std::size_t>(r * 15 + i)];
    }
    sum = subtract(std::move(sum), kronecker(a, b));
  }
  EXPECT_LT(frobenius_norm(subtract(reconstruct(tt.train), subtract(Matrix(21, 10), sum))), 1e-11);
}

TEST(TtSvd, PadsWithZeros) {
  const Matrix w = random_matrix(58, 17);  // into 60 x 18
  const TtApproximation full = tt_svd(w, kOdd.in, kOdd.out, UniformRank{kUnlimited});
  const Matrix padded = reconstruct(full.train);
  EXPECT_LT(distance(leading_block(padded, 58, 17), w), 1e-10);
  EXPECT_NEAR(energy(padded), energy(w), 1e-8);
  const TtApproximation cut = tt_svd(w, kOdd.in, kOdd.out, UniformRank{4});
  EXPECT_LE(distance(leading_block(reconstruct(cut.train), 58, 17), w), cut.error + 1e-12);
}

TEST(TtSvd, SampledIsNearExact) {
  const Modes modes = {{6, 6, 6}, {8, 6, 4}};
  const Matrix w = random_matrix(modes.rows(), modes.cols());
  const auto error = [&](SvdMethod method) {
    const TtApproximation tt = tt_svd(w, modes.in, modes.out, UniformRank{8}, method);
    EXPECT_NEAR(distance(reconstruct(tt.train), w), tt.error, 1e-7);
    return tt.error;
  };
  const double exact = error(SvdMethod::exact), sampled = error(SvdMethod::randomized);
  EXPECT_NE(sampled, exact);
  EXPECT_NEAR(sampled, exact, 0.02 * exact);
}

TEST(TtSvd, RefusesRulesAndModesThatDoNotFit) {
  const Matrix w = random_matrix(60, 18);
  const auto refusal = [&](const TtRule& rule) {
    return message_of<ConfigError>([&] { tt_svd(w, kOdd.in, kOdd.out, rule); });
  };
  EXPECT_EQ(refusal(UniformRank{0}), "ttm: rank R_1 of [0, 0] is 0; give 1 or more");
  EXPECT_EQ(refusal(BondRanks{{3}}), "ttm: 3 cores have 2 inner ranks, but 1 are given: [3]");
  EXPECT_EQ(refusal(RelativeTolerance{-0.1}), "tt: tolerance -0.1 is below 0");
  EXPECT_TRUE(contains(message_of<ConfigError>([&] {
                         tt_svd(w, {3, 4, 4}, {2, 3, 3}, UniformRank{2});
                       }),
                       "in modes [3, 4, 4] multiply to 48, but the layer has 60 in features"));
  Matrix bad = w;
  bad(3, 4) = std::nan("");
  EXPECT_EQ(message_of<NonFiniteError>([&] { tt_svd(bad, kOdd.in, kOdd.out, UniformRank{2}); }),
            "tt-svd: matrix [60, 18] holds nan at [3, 4]; all entries must be finite");
}

TEST(TtRound, ErrorEqualsItsReport) {
  for (const Modes& modes : {kOdd, kFour}) {
    const TtCores train = random_train(clip_ranks(with_rank(modes.in, modes.out, 6)));
    const Matrix w = reconstruct(train);
    for (std::int64_t rank : {1, 2, 4}) {
      const TtApproximation rounded = tt_round(train, UniformRank{rank});
      for (std::int64_t r : rounded.train.shape.ranks) EXPECT_LE(r, rank);
      EXPECT_NEAR(distance(reconstruct(rounded.train), w), rounded.error,
                  1e-10 * frobenius_norm(w));
    }
    const TtApproximation near = tt_round(train, RelativeTolerance{0.4});
    EXPECT_LE(distance(reconstruct(near.train), w), 0.4 * frobenius_norm(w));
    EXPECT_LT(near.train.shape.num_parameters(), train.shape.num_parameters());
  }
}

TEST(TtRound, HasTheQualityOfATtSvd) {
  const Matrix w = random_matrix(60, 18);
  const TtApproximation full = tt_svd(w, kOdd.in, kOdd.out, UniformRank{kUnlimited});
  for (std::int64_t rank : {1, 3, 5}) {
    const TtApproximation direct = tt_svd(w, kOdd.in, kOdd.out, UniformRank{rank});
    const TtApproximation rounded = tt_round(full.train, UniformRank{rank});
    EXPECT_EQ(rounded.train.shape, direct.train.shape);
    EXPECT_NEAR(rounded.error, direct.error, 1e-10);
    EXPECT_LT(distance(reconstruct(rounded.train), reconstruct(direct.train)), 1e-10);
  }
}

TEST(TtRound, DropsRanksThatCarryNothing) {
  // Ranks beyond their caps, and a train written twice as wide as it is.
  const TtCores wide = random_train(with_rank({2, 3, 2}, {2, 1, 2}, 9));
  const TtApproximation rounded = tt_round(wide, UniformRank{kUnlimited});
  EXPECT_EQ(rounded.train.shape, clip_ranks(wide.shape));
  EXPECT_LT(distance(reconstruct(rounded.train), reconstruct(wide)),
            1e-12 * frobenius_norm(reconstruct(wide)));
  const TtApproximation low = tt_svd(reconstruct(random_train(with_rank(kOdd.in, kOdd.out, 2))),
                                     kOdd.in, kOdd.out, UniformRank{5});
  EXPECT_EQ(tt_round(low.train, RelativeTolerance{1e-10}).train.shape.ranks, (Sizes{1, 2, 2, 1}));
}

}  // namespace
}  // namespace ty::test
