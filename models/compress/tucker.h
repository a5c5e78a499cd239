// tucker: a small tensor times a factor along each mode, by HOSVD.
#pragma once

#include "models/compress/method.h"

namespace ty {

void check_tucker(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_tucker(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics = {});

}  // namespace ty
