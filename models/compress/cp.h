// cp: a sum of outer products, fitted by alternating least squares.
#pragma once

#include "models/compress/method.h"

namespace ty {

void check_cp(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_cp(const Matrix& w, const DecompositionRequest& request,
                           const LayerStatistics& statistics = {});

}  // namespace ty
