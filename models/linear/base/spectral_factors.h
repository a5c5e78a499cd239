// Initial factors that are cut from a dense draw.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/linalg/matrix.h"

namespace ty {

// The factors [ranks[k] modes[k], ranks[k + 1]] to which TT-SVD cuts a draw [n_1 .. n_N] of
// independent normal numbers. Each singular value goes to both sides of its bond by its root, as in
// svd layers; then all factors get one scale, at which entries of their product have the standard
// deviation `weight_std`. Columns beyond what a bond can use are drawn at that scale, and meet
// zeros in the next factor, which train since these columns are none. `path` picks the random
// streams.
std::vector<Matrix> spectral_factors(const std::vector<std::int64_t>& modes,
                                     const std::vector<std::int64_t>& ranks, double weight_std,
                                     const std::string& path, std::uint64_t seed);

}  // namespace ty
