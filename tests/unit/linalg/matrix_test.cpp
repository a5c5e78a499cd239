#include "core/linalg/matrix.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/base/error.h"
#include "core/linalg/qr.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

TEST(Matrix, ProductsAgreeWithTheirDefinition) {
  const Matrix a = random_matrix(5, 7, "a"), b = random_matrix(7, 3, "b");
  Matrix expected(5, 3);
  for (std::int64_t i = 0; i < 5; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      for (std::int64_t k = 0; k < 7; ++k) expected(i, j) += a(i, k) * b(k, j);
    }
  }
  EXPECT_LT(distance(multiply(a, b), expected), 1e-13);
  EXPECT_LT(distance(multiply_transposed(transpose(a), b), expected), 1e-13);
  EXPECT_EQ(multiply(Matrix(4, 0), Matrix(0, 2)).data, std::vector<double>(8, 0.0));
}

TEST(Matrix, RefusesSizesThatDoNotFit) {
  EXPECT_EQ(message_of<ShapeError>([] { multiply(Matrix(2, 3), Matrix(4, 5)); }),
            "multiply: inner sizes differ: a [2, 3] and b [4, 5] (3 vs 4)");
  EXPECT_EQ(message_of<ShapeError>([] { multiply_transposed(Matrix(2, 3), Matrix(4, 5)); }),
            "multiply: inner sizes differ: a^T of [2, 3] and b [4, 5] (2 vs 4)");
  EXPECT_EQ(message_of<ShapeError>([] { reshape(Matrix(2, 3), 4, 2); }),
            "matrix: 6 values do not fill [4, 2] (8 values)");
}

TEST(Matrix, TransposesAcrossTiles) {
  const Matrix a = random_matrix(67, 41);
  const Matrix t = transpose(a);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.cols; ++j) ASSERT_EQ(t(j, i), a(i, j));
  }
}

TEST(Matrix, NamesTheFirstEntryThatIsNotFinite) {
  Matrix a(3, 4);
  a(1, 2) = std::numeric_limits<double>::infinity();
  EXPECT_EQ(message_of<NonFiniteError>([&] { require_finite(a, "svd"); }),
            "svd: matrix [3, 4] holds inf at [1, 2]; all entries must be finite");
}

class Factorisations : public ::testing::TestWithParam<std::pair<int, int>> {
 protected:
  const Matrix a_ = random_matrix(GetParam().first, GetParam().second);
  const std::int64_t k_ = std::min(a_.rows, a_.cols);
};
INSTANTIATE_TEST_SUITE_P(Shapes, Factorisations,
                         ::testing::Values(std::pair(13, 7), std::pair(7, 13), std::pair(9, 9),
                                           std::pair(1, 5), std::pair(5, 1), std::pair(131, 67)));

TEST_P(Factorisations, QrIsOrthogonalTimesTriangular) {
  const Qr f = qr(a_);
  ASSERT_EQ(f.q.cols, k_);
  EXPECT_LT(distance(multiply_transposed(f.q, f.q), identity(k_)), 1e-12);
  EXPECT_LT(distance(multiply(f.q, f.r), a_), 1e-11);
  for (std::int64_t i = 0; i < f.r.rows; ++i) {
    for (std::int64_t j = 0; j < i; ++j) ASSERT_EQ(f.r(i, j), 0.0);
  }
}

TEST_P(Factorisations, LqIsTriangularTimesOrthogonal) {
  const Lq f = lq(a_);
  ASSERT_EQ(f.q.rows, k_);
  EXPECT_LT(distance(multiply(f.q, transpose(f.q)), identity(k_)), 1e-12);
  EXPECT_LT(distance(multiply(f.l, f.q), a_), 1e-11);
  for (std::int64_t i = 0; i < f.l.rows; ++i) {
    for (std::int64_t j = i + 1; j < f.l.cols; ++j) ASSERT_EQ(f.l(i, j), 0.0);
  }
  EXPECT_EQ(lq_factor(a_).data, f.l.data);
}

TEST(Factorisation, OfAnEmptyMatrixIsEmpty) {
  EXPECT_EQ(qr(Matrix(0, 3)).r.cols, 3);
  EXPECT_EQ(lq(Matrix(3, 0)).l.rows, 3);
}

}  // namespace
}  // namespace ty::test
