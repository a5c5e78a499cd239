// whitened: SVD of the weight in the norm of what the layer returns (as SVD-LLM, Wang et al., arXiv
// 2403.07378): with X the inputs of data and X^T X = Q D Q^T,
//
//   |X (W - A B)| = |L (W - A B)|      L = D^(1/2) Q^T
//
// so the error of the outputs is what the cut singular values say. Directions in which inputs
// hardly vary are raised to a floor; a Cholesky factor would not exist for them.
#pragma once

#include "models/compress/weighted_svd.h"

namespace ty {

WeightedMatrix weigh_by_gram(const Matrix& w, const DecompositionRequest& request,
                             const LayerStatistics& statistics);

}  // namespace ty
