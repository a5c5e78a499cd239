// A decomposition as a file holds it: factors rounded to their type, and the error that is true
// then.
#pragma once

#include "core/base/dtype.h"
#include "models/compress/method.h"

namespace ty {

// What the method makes of w [in, out], its factors rounded to `dtype`; `error` is that of the
// rounded ones, without padding. An ErrorBudget holds for them unless their rounding alone is more:
// then it holds before rounding only. Throws as the method does, and NonFiniteError for a number
// that the type cannot hold.
Decomposition decompose_stored(const Method& method, const Matrix& w,
                               const DecompositionRequest& request, DType dtype);

}  // namespace ty
