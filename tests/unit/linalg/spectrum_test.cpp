#include "core/linalg/spectrum.h"

#include <gtest/gtest.h>

#include "tests/support/matrices.h"

namespace ty::test {
namespace {

TEST(Spectrum, TellsHowManyValuesHoldTheWeight) {
  // Squares 81, 9, 9, 1: of 100, the first has 81 %, the first two 90 %.
  const Spectrum s = spectrum_of(matrix_with_spectrum(8, 12, {9, 3, 3, 1}));
  EXPECT_EQ(s.sigma.size(), 8u);
  EXPECT_NEAR(s.energy, 100, 1e-9);
  EXPECT_NEAR(s.stable_rank, 100.0 / 81, 1e-9);
  EXPECT_EQ(s.numerical_rank, 4);
  EXPECT_EQ(spectrum_of(matrix_with_spectrum(8, 12, {9, 3.001, 3, 1})).rank_90, 2);
  EXPECT_EQ(spectrum_of(matrix_with_spectrum(8, 12, {9, 3.001, 3.001, 1})).rank_90, 3);
}

TEST(Spectrum, SumsUpToTheSquaresOfTheEntries) {
  const Matrix w = random_matrix(15, 9);
  const Spectrum s = spectrum_of(w);
  EXPECT_NEAR(s.energy, energy(w), 1e-9);
  EXPECT_NEAR(15 * 9 * (s.variance + s.mean * s.mean), energy(w), 1e-9);
  EXPECT_EQ(s.sparsity, 0);
}

TEST(Spectrum, OfNothingIsNothing) {
  const Spectrum zero = spectrum_of(Matrix(4, 3));
  EXPECT_EQ(zero.energy, 0);
  EXPECT_EQ(zero.rank_90, 0);
  EXPECT_EQ(zero.stable_rank, 0);
  EXPECT_EQ(zero.numerical_rank, 0);
  EXPECT_EQ(zero.sparsity, 1);
  EXPECT_EQ(spectrum_of(Matrix(0, 3)).energy, 0);
}

}  // namespace
}  // namespace ty::test
