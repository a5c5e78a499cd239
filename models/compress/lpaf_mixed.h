// lpaf_mixed: the factors of lpaf (fwsvd.h) for mixed-rank fine-tuning: for the first seven tenths
// of the steps that follow, each layer draws the pruned weight in their place, ever more rarely
// (models/linear/guided).
#pragma once

#include "models/compress/method.h"

namespace ty {

void check_lpaf_mixed(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_lpaf_mixed(const Matrix& w, const DecompositionRequest& request,
                                   const LayerStatistics& statistics);

}  // namespace ty
