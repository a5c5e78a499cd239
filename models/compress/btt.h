// btt: the nearest block tensor train of two cores, by the SVD of every block.
#pragma once

#include "models/compress/method.h"

namespace ty {

void check_btt(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_btt(const Matrix& w, const DecompositionRequest& request,
                            const LayerStatistics& statistics = {});

}  // namespace ty
