// The weight of a block tensor train, and the blocks of any weight that it takes one by one.
#pragma once

#include <vector>

#include "core/linalg/matrix.h"
#include "core/tensor/tensor.h"

namespace ty {

// W [m1 m2, n1 n2] of a [m2, m1, n1 r] and b [n1, m2 r, n2]; not differentiable.
Tensor btt_weight(const Tensor& a, const Tensor& b);

// Sizes [m1, m2] and [n1, n2] of W, as in btt.h.
struct BttSizes {
  std::vector<std::int64_t> in, out;
};

// The factors of rank r that are nearest to W: each block is cut to rank r by SVD and its factors
// share the roots of the singular values. Row-major, as the layer's parameters.
struct BttFactors {
  std::vector<double> a, b;
  double error;  // |W - W~|, Frobenius
};
BttFactors btt_factors(const Matrix& w, const BttSizes& sizes, std::int64_t rank);

// |W - W~|^2 of the nearest factors of each rank, from 0 on.
std::vector<double> btt_energies(const Matrix& w, const BttSizes& sizes);

}  // namespace ty
