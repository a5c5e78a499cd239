#include "core/linalg/least_squares.h"

#include <algorithm>
#include <cmath>

#include "core/linalg/lapack.h"

namespace ty {

WeightedLeastSquares::WeightedLeastSquares(const Matrix& basis, double ridge)
    : basis_(basis),
      ridge_(ridge),
      scaled_(basis.rows, basis.cols),
      normal_(basis.cols, basis.cols),
      scaled_targets_(static_cast<std::size_t>(basis.rows)) {}

bool WeightedLeastSquares::solve(std::span<const double> weights, std::span<const double> targets,
                                 std::span<double> x) {
  const std::int64_t n = basis_.rows, r = basis_.cols;
  TY_CHECK(std::ssize(weights) == n && std::ssize(targets) == n && std::ssize(x) == r,
           "{} weights, {} targets, {} unknowns of a basis {}", weights.size(), targets.size(),
           x.size(), shape_of(basis_));
  for (std::int64_t j = 0; j < n; ++j) {
    const double root = std::sqrt(weights[static_cast<std::size_t>(j)]);
    for (std::int64_t k = 0; k < r; ++k) scaled_(j, k) = root * basis_(j, k);
    scaled_targets_[static_cast<std::size_t>(j)] = root * targets[static_cast<std::size_t>(j)];
  }
  const blasint rows = lapack::size(n), cols = lapack::size(r);
  // The normal equations, in one triangle: row-major lower is LAPACK's upper.
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, cols, rows, 1.0, scaled_.data.data(), cols,
              0.0, normal_.data.data(), cols);
  for (std::int64_t k = 0; k < r; ++k) normal_(k, k) += ridge_;
  std::vector<double> solution(static_cast<std::size_t>(r));
  cblas_dgemv(CblasRowMajor, CblasTrans, rows, cols, 1.0, scaled_.data.data(), cols,
              scaled_targets_.data(), 1, 0.0, solution.data(), 1);
  const blasint one = 1;
  blasint info = 0;
  dposv_("U", &cols, &one, normal_.data.data(), &cols, solution.data(), &cols, &info, 1);
  const auto is_finite = [](double value) { return std::isfinite(value); };
  if (info != 0 || !std::all_of(solution.begin(), solution.end(), is_finite)) return false;
  std::copy(solution.begin(), solution.end(), x.begin());
  return true;
}

}  // namespace ty
