#include "core/linalg/symmetric_eigen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/linalg/least_squares.h"
#include "core/linalg/svd.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

TEST(SymmetricEigen, RebuildsTheMatrix) {
  const Matrix x = random_matrix(9, 13, "x");
  const Matrix a = multiply_transposed(x, x);  // [13, 13] of rank 9
  const SymmetricEigen eigen = symmetric_eigen(a);
  Matrix scaled = eigen.vectors;
  scale_rows(scaled, eigen.values);
  EXPECT_LT(distance(multiply_transposed(eigen.vectors, scaled), a), 1e-10);
  EXPECT_LT(distance(multiply(eigen.vectors, transpose(eigen.vectors)), identity(13)), 1e-12);
  EXPECT_TRUE(std::is_sorted(eigen.values.begin(), eigen.values.end()));
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(eigen.values[static_cast<std::size_t>(i)], 0, 1e-12);
  EXPECT_TRUE(symmetric_eigen(Matrix(0, 0)).values.empty());
}

TEST(SymmetricEigen, RefusesWhatHasNone) {
  EXPECT_EQ(message_of<ShapeError>([] { symmetric_eigen(Matrix(3, 2)); }),
            "eigenvalues: [3, 2] is not square");
  Matrix bad = identity(3);
  bad(1, 1) = INFINITY;
  EXPECT_THROW(symmetric_eigen(bad), NonFiniteError);
}

TEST(SingularValues, AreThoseOfTheDecomposition) {
  for (const auto& [rows, cols] : {std::pair{7, 12}, {12, 7}, {1, 5}, {0, 3}}) {
    const Matrix a = random_matrix(rows, cols);
    const std::vector<double> alone = singular_values(a), whole = svd(a).sigma;
    ASSERT_EQ(alone.size(), whole.size());
    for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_NEAR(alone[i], whole[i], 1e-12);
  }
}

TEST(WeightedLeastSquares, LeavesAResidualThatNoColumnExplains) {
  const Matrix basis = random_matrix(11, 4, "basis");
  const std::vector<double> targets = random_matrix(11, 1, "targets").data;
  std::vector<double> weights = random_matrix(11, 1, "weights").data;
  for (double& weight : weights) weight *= weight;
  weights[3] = 0;
  const double ridge = 0.3;
  std::vector<double> x(4);
  WeightedLeastSquares problem(basis, ridge);
  ASSERT_TRUE(problem.solve(weights, targets, x));
  for (std::int64_t k = 0; k < 4; ++k) {  // the gradient is zero
    double gradient = ridge * x[static_cast<std::size_t>(k)];
    for (std::int64_t j = 0; j < 11; ++j) {
      double residual = targets[static_cast<std::size_t>(j)];
      for (std::int64_t l = 0; l < 4; ++l) {
        residual -= basis(j, l) * x[static_cast<std::size_t>(l)];
      }
      gradient -= weights[static_cast<std::size_t>(j)] * residual * basis(j, k);
    }
    EXPECT_NEAR(gradient, 0, 1e-12);
  }
}

TEST(WeightedLeastSquares, SaysWhereThereIsNoOneSolution) {
  const Matrix basis = random_matrix(5, 3, "basis");
  std::vector<double> x = {1, 2, 3};
  EXPECT_FALSE(
      WeightedLeastSquares(basis, 0).solve(std::vector<double>(5), std::vector<double>(5, 1.0), x));
  EXPECT_EQ(x, (std::vector<double>{1, 2, 3}));
}

}  // namespace
}  // namespace ty::test
