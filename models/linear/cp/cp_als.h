// Fitting a sum of outer products to a tensor by alternating least squares (Carroll and Chang,
// 1970; Kolda and Bader, SIAM Review 51(3), 2009, section 3.4). On the host, in double.
#pragma once

#include <vector>

#include "core/linalg/matrix.h"
#include "models/linear/ttm/ttm_shape.h"

namespace ty {

struct CpFit {
  std::vector<Matrix> factors;  // of mode k: [n_k, R]
  double error = 0;             // |W - W~|, Frobenius, with the padding
  std::vector<double> errors;   // after each sweep over all modes
};

struct CpOptions {
  int starts = 3;   // the first from leading singular vectors, others drawn
  int sweeps = 60;  // of each start, at most
  double tolerance =
      1e-6;             // a start ends when a sweep lowers the error by less than this share of it
  double ridge = 1e-8;  // times the mean diagonal of each system
};

// R = `terms` products for W [in, out] as the tensor of `modes` (ttm/tt_sweep.h); the best of all
// starts. There is no exact algorithm: another start may find a better fit. Throws NonFiniteError
// for entries that are not finite.
CpFit cp_als(const Matrix& w, const TtmShape& modes, std::int64_t terms,
             const CpOptions& options = {});

}  // namespace ty
