// row_trains: each row of W by a TT-SVD of its own.
#pragma once

#include "models/compress/method.h"

namespace ty {

void check_row_trains(const LinearShape& size, const DecompositionRequest& request);
// Rows whose errors lie within |row| eps (ErrorBudget) have the ranks of the row that needs most.
Decomposition decompose_row_trains(const Matrix& w, const DecompositionRequest& request,
                                   const LayerStatistics& statistics = {});

}  // namespace ty
