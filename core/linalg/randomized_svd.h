// The leading singular values and vectors of a large matrix, without computing the others.
//
// Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53(2), 2011:
// a sample of the range (algorithm 4.4, subspace iteration), then an exact SVD inside it.
//
//   Y = A G                     G [n, s] normal, s = rank + oversample; Y spans most of A's range
//   Q = qr(Y)                   [m, s]; then, `power` times: Q = qr(A qr(A^T Q))
//   Q^T A = U S V^T             exact, of a small matrix [s, n]
//   A ~ Q (Q^T A) = (Q U) S V^T, of which `rank` values are kept
#pragma once

#include "core/linalg/svd.h"

namespace ty {

struct RandomizedSvdOptions {
  std::int64_t oversample = 10;  // columns sampled beyond the rank
  int power = 2;                 // subspace iterations: more for spectra that decay slowly
  std::uint64_t seed = 0;
};

// An approximation of rank min(rank, m, n), close to the best one; its reported discarded energy is
// exact up to rounding of energy(a). The same seed gives the same numbers. Falls back to the exact
// SVD when the sample would be as large as a.
TruncatedSvd randomized_svd(const Matrix& a, std::int64_t rank, RandomizedSvdOptions options = {});

}  // namespace ty
