#include "core/linalg/matrix.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/linalg/lapack.h"

namespace ty {

Matrix::Matrix(std::int64_t num_rows, std::int64_t num_cols)
    : rows(num_rows), cols(num_cols), data(static_cast<std::size_t>(num_rows * num_cols)) {}

Matrix::Matrix(std::int64_t num_rows, std::int64_t num_cols, std::vector<double> values)
    : rows(num_rows), cols(num_cols), data(std::move(values)) {
  if (static_cast<std::int64_t>(data.size()) != rows * cols) {
    throw ShapeError("matrix: {} values do not fill [{}, {}] ({} values)", data.size(), rows, cols,
                     rows * cols);
  }
}

std::string shape_of(const Matrix& a) { return fmt::format("[{}, {}]", a.rows, a.cols); }

Matrix reshape(Matrix a, std::int64_t rows, std::int64_t cols) {
  return Matrix(rows, cols, std::move(a.data));
}

Matrix transpose(const Matrix& a) {
  constexpr std::int64_t kTile = 32;  // both sides of a tile stay in the first cache
  Matrix t(a.cols, a.rows);
  for (std::int64_t i0 = 0; i0 < a.rows; i0 += kTile) {
    for (std::int64_t j0 = 0; j0 < a.cols; j0 += kTile) {
      for (std::int64_t i = i0; i < std::min(i0 + kTile, a.rows); ++i) {
        for (std::int64_t j = j0; j < std::min(j0 + kTile, a.cols); ++j) t(j, i) = a(i, j);
      }
    }
  }
  return t;
}

Matrix leading_block(const Matrix& a, std::int64_t rows, std::int64_t cols) {
  TY_CHECK(rows <= a.rows && cols <= a.cols, "[{}, {}] of {}", rows, cols, shape_of(a));
  Matrix block(rows, cols);
  for (std::int64_t i = 0; i < rows; ++i) {
    std::copy_n(a.data.begin() + i * a.cols, cols, block.data.begin() + i * cols);
  }
  return block;
}

namespace {

// op(a) [m, k] b [k, n]. BLAS wants leading dimensions of at least 1, even of empty matrices.
Matrix product(CBLAS_TRANSPOSE op_a, const Matrix& a, const Matrix& b) {
  const std::int64_t m = op_a == CblasNoTrans ? a.rows : a.cols;
  const std::int64_t k = op_a == CblasNoTrans ? a.cols : a.rows;
  if (k != b.rows) {
    throw ShapeError("multiply: inner sizes differ: a{} {} and b {} ({} vs {})",
                     op_a == CblasNoTrans ? "" : "^T of", shape_of(a), shape_of(b), k, b.rows);
  }
  Matrix c(m, b.cols);
  if (c.data.empty() || k == 0) return c;
  cblas_dgemm(CblasRowMajor, op_a, CblasNoTrans, lapack::size(m), lapack::size(b.cols),
              lapack::size(k), 1.0, a.data.data(), lapack::size(a.cols), b.data.data(),
              lapack::size(b.cols), 0.0, c.data.data(), lapack::size(c.cols));
  return c;
}

}  // namespace

Matrix multiply(const Matrix& a, const Matrix& b) { return product(CblasNoTrans, a, b); }

Matrix multiply_transposed(const Matrix& a, const Matrix& b) { return product(CblasTrans, a, b); }

void scale_rows(Matrix& a, const std::vector<double>& factors) {
  TY_CHECK(static_cast<std::int64_t>(factors.size()) == a.rows, "{} factors", factors.size());
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.cols; ++j) a(i, j) *= factors[static_cast<std::size_t>(i)];
  }
}

void scale_columns(Matrix& a, const std::vector<double>& factors) {
  TY_CHECK(static_cast<std::int64_t>(factors.size()) == a.cols, "{} factors", factors.size());
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.cols; ++j) a(i, j) *= factors[static_cast<std::size_t>(j)];
  }
}

Matrix subtract(Matrix a, const Matrix& b) {
  if (a.rows != b.rows || a.cols != b.cols) {
    throw ShapeError("subtract: shapes differ: {} and {}", shape_of(a), shape_of(b));
  }
  for (std::size_t i = 0; i < a.data.size(); ++i) a.data[i] -= b.data[i];
  return a;
}

double energy(const Matrix& a) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < a.rows; ++i) {  // row by row: shorter sums round less
    double row = 0.0;
    for (std::int64_t j = 0; j < a.cols; ++j) row += a(i, j) * a(i, j);
    sum += row;
  }
  return sum;
}

double frobenius_norm(const Matrix& a) { return std::sqrt(energy(a)); }

void require_finite(const Matrix& a, const char* what) {
  const auto bad =
      std::find_if(a.data.begin(), a.data.end(), [](double x) { return !std::isfinite(x); });
  if (bad == a.data.end()) return;
  const std::int64_t index = bad - a.data.begin();
  throw NonFiniteError("{}: matrix {} holds {} at [{}, {}]; all entries must be finite", what,
                       shape_of(a), *bad, index / a.cols, index % a.cols);
}

Matrix normal_matrix(std::int64_t rows, std::int64_t cols, const RandomStream& stream) {
  Matrix a(rows, cols);
  for (std::size_t i = 0; i < a.data.size(); i += 2) {
    const auto pair = normal_pair(stream, 0, i / 2);
    a.data[i] = pair[0];
    if (i + 1 < a.data.size()) a.data[i + 1] = pair[1];
  }
  return a;
}

}  // namespace ty
