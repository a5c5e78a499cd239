// Methods of the svd kind: the best factors of their rank in the norm |L E R|, for an error E and
// invertible L and R, are those of an SVD:
//
//   L W R = U S V^T      A = L^-1 U_r S_r^(1/2)      B = S_r^(1/2) V_r^T R^-1
#pragma once

#include <functional>

#include "models/compress/method.h"
#include "models/linear/svd/svd_factors.h"

namespace ty {

struct WeightedMatrix {
  Matrix weighted;                                 // L W R
  std::function<void(Matrix& a)> undo_left = {};   // a = L^-1 a; empty: L is 1
  std::function<void(Matrix& b)> undo_right = {};  // b = b R^-1; empty: R is 1
  double loss_scale = 0;                           // as in RankSpectrum
};

// Factors of W whose `error` is |L (W - A B) R|.
SvdFactors factors_of(const WeightedMatrix& w, const TruncationRule& rule);

// For a budget, whose ErrorBudget is in the norm of `weighted`.
TruncationRule rank_rule(const Matrix& weighted, const Budget& budget);
void check_svd(const LinearShape& size, const DecompositionRequest& request);

// The factors as parameters; computes the error from w.
Decomposition svd_decomposition(const Matrix& w, Matrix a, Matrix b);
Decomposition decompose_weighted(const Matrix& w, const WeightedMatrix& weighted,
                                 const Budget& budget);

// A method by its L and R.
using Weigh = WeightedMatrix (*)(const Matrix& w, const DecompositionRequest& request,
                                 const LayerStatistics& statistics);
template <Weigh weigh>
Decomposition decompose_by(const Matrix& w, const DecompositionRequest& request,
                           const LayerStatistics& statistics) {
  return decompose_weighted(w, weigh(w, request, statistics), request.budget);
}
template <Weigh weigh>
RankSpectrum spectrum_by(const Matrix& w, const DecompositionRequest& request,
                         const LayerStatistics& statistics) {
  const WeightedMatrix weighted = weigh(w, request, statistics);
  return {singular_values(weighted.weighted), weighted.loss_scale};
}

}  // namespace ty
