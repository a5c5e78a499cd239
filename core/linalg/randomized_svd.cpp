#include "core/linalg/randomized_svd.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/linalg/qr.h"

namespace ty {

TruncatedSvd randomized_svd(const Matrix& a, std::int64_t rank, RandomizedSvdOptions options) {
  if (options.oversample < 0 || options.power < 0) {
    throw ConfigError("randomized svd: oversample {} and power {} must be 0 or more",
                      options.oversample, options.power);
  }
  // A rank beyond the matrix is cut first: rank + oversample must not overflow.
  const std::int64_t k = std::min(a.rows, a.cols);
  const std::int64_t sample = std::min(rank, k) + std::min(options.oversample, k);
  if (rank < 1 || sample >= k) return truncated_svd(a, KeepRank{rank});
  require_finite(a, "randomized svd");

  const RandomStream stream(options.seed, site_id("linalg.randomized_svd"));
  Matrix q = qr(multiply(a, normal_matrix(a.cols, sample, stream))).q;  // [m, sample]
  // Orthonormal after every product, or small singular values drown in rounding.
  for (int step = 0; step < options.power; ++step) {
    const Matrix p = qr(multiply_transposed(a, q)).q;  // [n, sample]
    q = qr(multiply(a, p)).q;
  }
  TruncatedSvd inside = truncated_svd(multiply_transposed(q, a), KeepRank{rank});  // of q^T a
  inside.factors.u = multiply(q, inside.factors.u);
  // A projection of a loses exactly the energy that it does not keep.
  double kept = 0.0;
  for (double value : inside.factors.sigma) kept += value * value;
  inside.discarded_energy = std::max(0.0, energy(a) - kept);
  return inside;
}

}  // namespace ty
