// Initial factors whose product looks like the initial dense weight.
//
// Entries of a product of independent zero-mean factors have the variance prod Var(factor) x prod
// ranks; the factors' standard deviations follow from the dense weight's. The orthogonal variant
// draws the same product and moves the scale to the last factor: same W, better conditioned.
#pragma once

#include <string>
#include <vector>

#include "core/nn/parameter.h"
#include "models/linear/base/factors.h"

namespace ty {

// One per factor [ranks[k] modes[k], ranks[k + 1]] of a weight whose entries have the standard
// deviation `weight_std`; ranks begin and end with 1. `path` picks the random streams.
std::vector<Init> factor_inits(const std::vector<std::int64_t>& modes,
                               const std::vector<std::int64_t>& ranks, double weight_std,
                               FactorInit kind, const std::string& path);

}  // namespace ty
