// tfwsvd: factors for errors that weigh entry by entry (true Fisher-weighted SVD, Hua et al.,
// "Numerical optimizations for weighted low-rank estimation on language model", arXiv 2211.09718):
//
//   J(A, B) = sum_ij F_ij (W_ij - a_i b_j)^2 + lambda (|A|^2 + |B|^2)
//
// There is no closed form. From the factors of fwsvd:
//
// tfwsvd            alternating least squares: all rows of A at fixed B, then all columns of B at
//                   fixed A; J never rises. A sweep costs in out r^2 + (in + out) r^3.
// tfwsvd_gradient   Adam on both at once, which costs in out r a step: for ranks at which sweeps
//                   take too long.
#pragma once

#include "models/compress/weighted_svd.h"

namespace ty {

struct FactorFit {
  Matrix a, b;                    // [in, r], [r, out]
  std::vector<double> objective;  // J at the start and after each half-sweep or step
};

// Both: rows and columns without weight stay as they are. `fisher` [in, out] holds no number below
// 0.
FactorFit fit_factors(const Matrix& w, const Matrix& fisher, Matrix a, Matrix b,
                      const AlsOptions& options);

// The best of all steps. Steps are in units of each factor's root mean square, so that neither the
// scale of W nor that of F matters.
FactorFit descend_factors(const Matrix& w, const Matrix& fisher, Matrix a, Matrix b,
                          const DescentOptions& options);

// sum_ij F_ij (W_ij - W~_ij)^2.
double weighted_energy(const Matrix& fisher, const Matrix& difference);

Decomposition decompose_tfwsvd(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics);
Decomposition decompose_tfwsvd_gradient(const Matrix& w, const DecompositionRequest& request,
                                        const LayerStatistics& statistics);

}  // namespace ty
