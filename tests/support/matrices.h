// Matrices for tests: fixed random values, and distances between matrices.
#pragma once

#include <cmath>
#include <string_view>
#include <vector>

#include "core/linalg/matrix.h"
#include "core/linalg/qr.h"

namespace ty::test {

// Standard normal entries; `name` picks the stream.
inline Matrix random_matrix(std::int64_t rows, std::int64_t cols, std::string_view name = "w") {
  return normal_matrix(rows, cols, RandomStream(42, site_id(name)));
}

// A matrix with these singular values and random singular vectors.
inline Matrix matrix_with_spectrum(std::int64_t rows, std::int64_t cols,
                                   const std::vector<double>& sigma) {
  const auto k = static_cast<std::int64_t>(sigma.size());
  Matrix left = qr(random_matrix(rows, k, "left")).q;
  scale_columns(left, sigma);
  return multiply(left, transpose(qr(random_matrix(cols, k, "right")).q));
}

// |a - b|, Frobenius.
inline double distance(const Matrix& a, const Matrix& b) { return frobenius_norm(subtract(a, b)); }

inline Matrix identity(std::int64_t n) {
  Matrix a(n, n);
  for (std::int64_t i = 0; i < n; ++i) a(i, i) = 1.0;
  return a;
}

// a (x) b: entry ((i1, i2), (j1, j2)) = a[i1, j1] b[i2, j2].
inline Matrix kronecker(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows * b.rows, a.cols * b.cols);
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (std::int64_t j = 0; j < c.cols; ++j) {
      c(i, j) = a(i / b.rows, j / b.cols) * b(i % b.rows, j % b.cols);
    }
  }
  return c;
}

}  // namespace ty::test
