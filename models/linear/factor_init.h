// Initial factors whose product looks like the initial dense weight.
//
// Entries of a product of independent zero-mean factors have the variance prod Var(factor) x prod
// ranks; the factors' standard deviations follow from the dense weight's. The orthogonal variant
// draws the same product and moves the scale to the last factor: same W, better conditioned.
#pragma once

#include <string>
#include <vector>

#include "core/nn/parameter.h"
#include "models/linear/spec.h"
#include "models/linear/ttm_shape.h"

namespace ty {

// One per core. `path` picks the random streams.
std::vector<Init> ttm_inits(const TtmShape& shape, double weight_std, FactorInit kind,
                            const std::string& path);

struct SvdInits {
  Init a, b;
};
SvdInits svd_inits(const LinearShape& shape, const SvdSpec& spec, const std::string& path);

}  // namespace ty
