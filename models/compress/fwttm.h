// fwttm: a TT-SVD that weighs errors by Fisher information F, step by step. With C and its weights
// Phi as [r_{k-1} n_k, rest] at core k (C = W and Phi = F at the first):
//
//   e^2 = row sums of Phi       diag(e) C ~ U S V^T      core k = diag(1/e) U
//   C  = S V^T                  Phi of the next core = (core k, squared)^T Phi
//
// which is the diagonal of the quadratic form that errors of the next C have. Nothing but cores is
// left, so the layer is a ttm layer like any other.
//
// scaled_fwttm: the TT-SVD of diag(d) W, d^2 = row sums of F, for a layer that divides its inputs
// by d: nearest to W in sum_i d_i^2 |row i of W - W~|^2, but for what a TT-SVD lacks of the best
// train.
#pragma once

#include "models/compress/ttm.h"

namespace ty {

// W [in, out] with weights [in, out] of its entries, none below 0; `floor` as in importances().
TtCores weighted_tt_svd(const Matrix& w, const Matrix& weights, const TtTarget& target,
                        double floor);

// As check_ttm(); refuses an ErrorBudget, since the norms of the steps differ.
void check_fwttm(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_fwttm(const Matrix& w, const DecompositionRequest& request,
                              const LayerStatistics& statistics);

// d takes one of the weights that a ShareBudget gives each input.
void check_scaled_fwttm(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_scaled_fwttm(const Matrix& w, const DecompositionRequest& request,
                                     const LayerStatistics& statistics);

}  // namespace ty
