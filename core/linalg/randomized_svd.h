// The leading part of a spectrum, without computing the rest.
//
// Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53(2), 2011:
// a sample of the range (algorithm 4.4, subspace iteration), then an exact SVD inside it.
#pragma once

#include "core/linalg/svd.h"

namespace ty {

struct RandomizedSvdOptions {
  std::int64_t oversample = 10;  // columns sampled beyond the rank
  int power = 2;                 // subspace iterations: more for spectra that decay slowly
  std::uint64_t seed = 0;
};

// An approximation of rank min(rank, m, n), near the best one; its reported discarded energy is
// exact up to rounding of energy(a). The same numbers for the same seed. Exact when the sample
// would be as large as a.
TruncatedSvd randomized_svd(const Matrix& a, std::int64_t rank, RandomizedSvdOptions options = {});

}  // namespace ty
