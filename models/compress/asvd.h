// asvd: activation-aware SVD (Yuan et al., arXiv 2312.05821): rows of W weigh as the inputs that
// they meet, L = diag(mean |x|^alpha).
#pragma once

#include "models/compress/weighted_svd.h"

namespace ty {

WeightedMatrix weigh_by_inputs(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics);

}  // namespace ty
