// kronecker: the nearest sum of Kronecker products (Van Loan and Pitsianis, 1993).
#pragma once

#include "models/compress/method.h"

namespace ty {

void check_kronecker(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_kronecker(const Matrix& w, const DecompositionRequest& request,
                                  const LayerStatistics& statistics = {});

}  // namespace ty
