#include "models/compress/tfwsvd.h"

#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/linalg/least_squares.h"
#include "models/compress/fwsvd.h"

namespace ty {

namespace {

std::span<const double> row_of(const Matrix& a, std::int64_t i) {
  return std::span(a.data).subspan(static_cast<std::size_t>(i * a.cols),
                                   static_cast<std::size_t>(a.cols));
}

// Sets each row of x [m, r] to the best one for basis [n, r]: row i of w [m, n] is about
// x_i basis^T.
void fit_rows(Matrix& x, const Matrix& basis, const Matrix& w, const Matrix& weights,
              double ridge) {
  WeightedLeastSquares problem(basis, ridge);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const std::span<const double> own = row_of(weights, i);
    if (std::accumulate(own.begin(), own.end(), 0.0) == 0) continue;
    problem.solve(own, row_of(w, i),
                  std::span(x.data).subspan(static_cast<std::size_t>(i * x.cols),
                                            static_cast<std::size_t>(x.cols)));
  }
}

double weighted_energy_of(const Matrix& fisher, const Matrix& w, const Matrix& a, const Matrix& b) {
  return weighted_energy(fisher, subtract(multiply(a, b), w));
}

}  // namespace

double weighted_energy(const Matrix& fisher, const Matrix& difference) {
  TY_CHECK(fisher.rows == difference.rows && fisher.cols == difference.cols, "{} and {}",
           shape_of(fisher), shape_of(difference));
  double sum = 0;
  for (std::int64_t i = 0; i < fisher.rows; ++i) {  // row by row: shorter sums round less
    double row = 0;
    for (std::int64_t j = 0; j < fisher.cols; ++j) {
      row += fisher(i, j) * difference(i, j) * difference(i, j);
    }
    sum += row;
  }
  return sum;
}

AlsFit fit_factors(const Matrix& w, const Matrix& fisher, Matrix a, Matrix b,
                   const AlsOptions& options) {
  const double mean = std::accumulate(fisher.data.begin(), fisher.data.end(), 0.0) /
                      static_cast<double>(fisher.data.size());
  const double ridge = options.ridge * mean;
  const Matrix wt = transpose(w), ft = transpose(fisher);
  Matrix bt = transpose(b);  // [out, r]
  AlsFit fit;
  const auto note = [&] {
    fit.objective.push_back(weighted_energy_of(fisher, w, a, transpose(bt)) +
                            ridge * (energy(a) + energy(bt)));
  };
  note();
  for (int sweep = 0; sweep < options.sweeps; ++sweep) {
    const double before = fit.objective.back();
    fit_rows(a, bt, w, fisher, ridge);
    note();
    fit_rows(bt, a, wt, ft, ridge);
    note();
    if (before - fit.objective.back() <= options.tolerance * before) break;
  }
  fit.a = std::move(a);
  fit.b = transpose(bt);
  return fit;
}

Decomposition decompose_tfwsvd(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics) {
  const Matrix& fisher = statistics.fisher;
  const WeightedMatrix weighted = weigh_by_fisher(w, request, statistics);
  const SvdFactors start = factors_of(weighted, rank_rule(weighted.weighted, request.budget));
  AlsFit fit = fit_factors(w, fisher, start.a, start.b, request.als);
  // J has a ridge; what was asked for has none.
  const bool is_better =
      weighted_energy_of(fisher, w, fit.a, fit.b) < weighted_energy_of(fisher, w, start.a, start.b);
  return is_better ? svd_decomposition(w, std::move(fit.a), std::move(fit.b))
                   : svd_decomposition(w, start.a, start.b);
}

}  // namespace ty
