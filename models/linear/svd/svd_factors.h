// A matrix as the product of two thin ones: the arithmetic of the svd layer kind.
#pragma once

#include "core/linalg/svd.h"

namespace ty {

// W [in, out] ~ a [in, r] b [r, out], the best of its rank; both carry the square roots of the
// singular values, so that neither is scaled far from the other.
struct SvdFactors {
  Matrix a, b;
  double error = 0.0;  // |W - a b|, from the discarded singular values
};

// Throws ConfigError for a rank below 1; a rank beyond min(in, out) is cut to it.
SvdFactors svd_factors(const Matrix& w, const TruncationRule& rule);
// The rule under which |W - a b| <= eps |W|.
DiscardEnergy within_relative(const Matrix& w, double eps);

// Parameters of both factors, r (in + out).
std::int64_t svd_parameters(std::int64_t in, std::int64_t out, std::int64_t rank);
// The largest rank with no more parameters than the dense matrix: in out / (in + out).
std::int64_t break_even_rank(std::int64_t in, std::int64_t out);

}  // namespace ty
