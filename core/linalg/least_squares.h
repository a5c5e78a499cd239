// Weighted least squares with a ridge, many times over one basis.
#pragma once

#include <span>

#include "core/linalg/matrix.h"

namespace ty {

class WeightedLeastSquares {
 public:
  // basis [n, r]: a row per equation. Must outlive this.
  WeightedLeastSquares(const Matrix& basis, double ridge);

  // Sets x [r] to what minimises sum_j weights_j (targets_j - basis_j x)^2 + ridge |x|^2, and
  // returns true; leaves x alone and returns false where that is not one point.
  bool solve(std::span<const double> weights, std::span<const double> targets, std::span<double> x);

 private:
  const Matrix& basis_;
  double ridge_;
  Matrix scaled_;  // basis, row j times sqrt(weights_j)
  Matrix normal_;  // scaled^T scaled + ridge
  std::vector<double> scaled_targets_;
};

}  // namespace ty
