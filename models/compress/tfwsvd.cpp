#include "models/compress/tfwsvd.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/linalg/least_squares.h"
#include "core/metrics/mean.h"
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

FactorFit fit_factors(const Matrix& w, const Matrix& fisher, Matrix a, Matrix b,
                      const AlsOptions& options) {
  const double ridge = options.ridge * mean(fisher.data);
  const Matrix wt = transpose(w), ft = transpose(fisher);
  Matrix bt = transpose(b);  // [out, r]
  FactorFit fit;
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

namespace {

// Adam (Kingma and Ba, arXiv 1412.6980) on the entries of one factor.
class Adam {
 public:
  Adam(const Matrix& x, double rate)
      : rate_(rate * frobenius_norm(x) / std::sqrt(static_cast<double>(x.data.size()))),
        mean_(x.data.size(), 0.0),
        square_(x.data.size(), 0.0) {}

  // `share` of the first step's rate. An entry that never had a gradient stays.
  void step(Matrix& x, const Matrix& gradient, double share) {
    constexpr double kMean = 0.9, kSquare = 0.99;
    mean_left_ *= kMean;
    square_left_ *= kSquare;
    for (std::size_t i = 0; i < mean_.size(); ++i) {
      const double g = gradient.data[i];
      mean_[i] = kMean * mean_[i] + (1 - kMean) * g;
      square_[i] = kSquare * square_[i] + (1 - kSquare) * g * g;
      if (square_[i] == 0) continue;
      x.data[i] -=
          share * rate_ * mean_[i] / (1 - mean_left_) / std::sqrt(square_[i] / (1 - square_left_));
    }
  }

 private:
  double rate_, mean_left_ = 1, square_left_ = 1;
  std::vector<double> mean_, square_;
};

}  // namespace

FactorFit descend_factors(const Matrix& w, const Matrix& fisher, Matrix a, Matrix b,
                          const DescentOptions& options) {
  const double ridge = options.ridge * mean(fisher.data);
  FactorFit best = {a, b, {}};
  double least = std::numeric_limits<double>::infinity();
  Adam of_a(a, options.rate), of_b(b, options.rate);
  for (int step = 0; step <= options.steps; ++step) {
    Matrix slope = subtract(multiply(a, b), w);  // half of dJ / d(A B)
    double sum = ridge * (energy(a) + energy(b));
    for (std::size_t i = 0; i < slope.data.size(); ++i) {
      const double weighted = fisher.data[i] * slope.data[i];
      sum += weighted * slope.data[i];
      slope.data[i] = weighted;
    }
    best.objective.push_back(sum);
    if (sum < least) {
      least = sum;
      best.a = a;
      best.b = b;
    }
    if (step == options.steps) break;
    Matrix da = multiply(slope, transpose(b)), db = multiply_transposed(a, slope);
    const auto add_ridge = [&](Matrix& gradient, const Matrix& x) {
      for (std::size_t i = 0; i < x.data.size(); ++i) gradient.data[i] += ridge * x.data[i];
    };
    add_ridge(da, a);
    add_ridge(db, b);
    const double share = 0.5 + 0.5 * std::cos(std::numbers::pi * step / options.steps);
    of_a.step(a, da, share);
    of_b.step(b, db, share);
  }
  return best;
}

namespace {

// Fits from the factors of fwsvd.
template <typename Fit>
Decomposition decompose_by_entries(const Matrix& w, const DecompositionRequest& request,
                                   const LayerStatistics& statistics, const Fit& fit_from) {
  const Matrix& fisher = statistics.fisher;
  const WeightedMatrix weighted = weigh_by_fisher(w, request, statistics);
  const SvdFactors start = factors_of(weighted, rank_rule(weighted.weighted, request.budget));
  FactorFit fit = fit_from(start.a, start.b);
  // J has a ridge; what was asked for has none.
  const bool is_better =
      weighted_energy_of(fisher, w, fit.a, fit.b) < weighted_energy_of(fisher, w, start.a, start.b);
  return is_better ? svd_decomposition(w, std::move(fit.a), std::move(fit.b))
                   : svd_decomposition(w, start.a, start.b);
}

}  // namespace

Decomposition decompose_tfwsvd(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics) {
  return decompose_by_entries(w, request, statistics, [&](const Matrix& a, const Matrix& b) {
    return fit_factors(w, statistics.fisher, a, b, request.als);
  });
}

Decomposition decompose_tfwsvd_gradient(const Matrix& w, const DecompositionRequest& request,
                                        const LayerStatistics& statistics) {
  return decompose_by_entries(w, request, statistics, [&](const Matrix& a, const Matrix& b) {
    return descend_factors(w, statistics.fisher, a, b, request.descent);
  });
}

}  // namespace ty
