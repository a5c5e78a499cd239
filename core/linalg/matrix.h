// Dense matrices for work on weights outside the training path: row-major, double, on the host.
//
// Values, not views: a decomposition is done once per layer, so clarity matters more than the cost
// of copies. Products run on BLAS.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace ty {

struct Matrix {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<double> data;  // [rows, cols], last index fastest

  Matrix() = default;
  // All zeros.
  Matrix(std::int64_t num_rows, std::int64_t num_cols);
  // Takes ownership of `values`; throws ShapeError unless there are rows * cols of them.
  Matrix(std::int64_t num_rows, std::int64_t num_cols, std::vector<double> values);

  double& operator()(std::int64_t i, std::int64_t j) {
    return data[static_cast<std::size_t>(i * cols + j)];
  }
  double operator()(std::int64_t i, std::int64_t j) const {
    return data[static_cast<std::size_t>(i * cols + j)];
  }
};

// "[3, 5]"
std::string shape_of(const Matrix& a);

// The same numbers in the same order under another shape; throws ShapeError if the count differs.
Matrix reshape(Matrix a, std::int64_t rows, std::int64_t cols);
Matrix transpose(const Matrix& a);
// The first rows and columns of a.
Matrix leading_block(const Matrix& a, std::int64_t rows, std::int64_t cols);
// a [m, k] b [k, n] -> [m, n]; throws ShapeError unless the inner sizes agree.
Matrix multiply(const Matrix& a, const Matrix& b);
// a^T b for a [k, m], b [k, n] -> [m, n], without forming a^T.
Matrix multiply_transposed(const Matrix& a, const Matrix& b);
// Multiplies row i by factors[i], in place.
void scale_rows(Matrix& a, const std::vector<double>& factors);
// Multiplies column j by factors[j], in place.
void scale_columns(Matrix& a, const std::vector<double>& factors);
Matrix subtract(Matrix a, const Matrix& b);

// Sum of squares of all entries.
double energy(const Matrix& a);
// sqrt(energy(a)).
double frobenius_norm(const Matrix& a);
// Throws NonFiniteError that names `what` and the first NaN or infinity.
void require_finite(const Matrix& a, const char* what);

// Independent standard normal entries.
Matrix normal_matrix(std::int64_t rows, std::int64_t cols, const RandomStream& stream);

}  // namespace ty
