// A decomposition as it is stored: factors rounded to their type, with the resulting error.
#pragma once

#include "core/base/dtype.h"
#include "models/compress/method.h"

namespace ty {

// Decomposes w [in, out] and rounds the factors to `dtype`; `error` is that of the rounded factors,
// without padding. They satisfy an ErrorBudget unless their rounding alone exceeds it; then it
// holds before rounding only. Throws as the method does, and NonFiniteError for a number that the
// type cannot represent.
Decomposition decompose_stored(const Method& method, const Matrix& w,
                               const DecompositionRequest& request, DType dtype);

}  // namespace ty
