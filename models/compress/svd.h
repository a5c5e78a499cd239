// svd: the factors nearest to W.
#pragma once

#include "models/compress/weighted_svd.h"

namespace ty {

WeightedMatrix weigh_evenly(const Matrix& w, const DecompositionRequest& request,
                            const LayerStatistics& statistics);
Decomposition decompose_svd(const Matrix& w, const DecompositionRequest& request,
                            const LayerStatistics& statistics = {});

// Progressive low rank (Hajimolahoseini et al., "Progressive low-rank decomposition"): how a b, of
// rank R, is cut further.
enum class FactorMerge : std::uint8_t {
  exact,   // the SVD of a b, from a = Q T and the SVD of T b
  second,  // the paper's: b alone is cut, as if a had orthonormal columns
};
// a [in, R] b [R, out] by factors of lower rank; `error` is |a b - a' b'|.
SvdFactors reduced_factors(const Matrix& a, const Matrix& b, const TruncationRule& rule,
                           FactorMerge merge = FactorMerge::exact);
Decomposition reduce_svd(const Decomposition& factors, const LinearShape& size,
                         const DecompositionRequest& request);

}  // namespace ty
