// Initial factors whose product looks like the initial dense weight.
//
// Entries of a product of independent zero-mean factors have the variance prod Var(factor) x prod
// ranks; the factors' standard deviations follow from the dense weight's. The orthogonal variant
// draws the same product and moves the scale to the last factor: same W, better conditioned. The
// spectral variant cuts a dense draw by TT-SVD and shares each singular value among its neighbours
// (Khodak et al., arXiv 2105.01029), at the dense weight's standard deviation.
#pragma once

#include <string>
#include <vector>

#include "core/nn/parameter.h"
#include "models/linear/base/factors.h"

namespace ty {

// A weight [prod in, prod out] as a chain of factors [ranks[k], in[k], out[k], ranks[k + 1]]; ranks
// begin and end with 1.
struct FactorChain {
  std::vector<std::int64_t> in, out, ranks;
};

// One per factor, of a weight whose entries have the standard deviation `weight_std`, with its
// rate and its place. `path` picks the random streams.
std::vector<Init> factor_inits(const FactorChain& chain, double weight_std, FactorInit kind,
                               const std::string& path);

// A matrix by its sizes.
struct MatrixSize {
  std::int64_t in, out;
};
// What a dense weight's learning rate is to be multiplied by for one of its `factors`, which maps
// `own.in` numbers to `own.out`.
double factor_rate(MatrixSize whole, MatrixSize own, std::size_t factors);

}  // namespace ty
