// The Tucker decomposition of a matrix by truncated singular value decompositions of its unfoldings
// (HOSVD: De Lathauwer, De Moor and Vandewalle, SIAM J. Matrix Anal. 21(4), 2000). On the host, in
// double.
//
//   |W - W~|^2 <= sum over modes of what the mode's unfolding discards, and at most 3 times the
//   best
#pragma once

#include "core/linalg/svd.h"
#include "models/linear/tucker/tucker.h"

namespace ty {

struct TuckerFit {
  TuckerRanks ranks = {};
  std::vector<double> core;     // [R_1, R_2, R_3], row-major
  std::vector<Matrix> factors;  // of mode k: [n_k, R_k], orthonormal columns
  double error = 0;             // |W - W~|, Frobenius, with the padding
};

// W [in, out] as the tensor of three modes (ttm/tt_sweep.h). Throws NonFiniteError for entries that
// are not finite.
TuckerFit hosvd(const Matrix& w, const TtmShape& modes, const TuckerRanks& ranks);
// The fewest ranks with |W - W~| <= eps |W| by the bound above.
TuckerFit hosvd_within(const Matrix& w, const TtmShape& modes, double eps);

}  // namespace ty
