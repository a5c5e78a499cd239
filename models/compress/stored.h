// A decomposition as it is stored: factors rounded to their type, with the resulting error.
#pragma once

#include <functional>

#include "core/base/dtype.h"
#include "models/compress/method.h"

namespace ty {

// Decomposes for a request.
using Decompose = std::function<Decomposition(const DecompositionRequest& request)>;

// A decomposition of w [in, out] whose factors are rounded to `dtype`; `error` is that of the
// rounded factors, without padding. If `holds_error` they satisfy an ErrorBudget in |W - W~| unless
// their rounding alone exceeds it; then it holds before rounding only. Throws as `decompose` does,
// and NonFiniteError for a number that the type cannot represent.
Decomposition decompose_stored(const Decompose& decompose, const Matrix& w,
                               const DecompositionRequest& request, DType dtype,
                               bool holds_error = true);

// W~ - W of what is stored.
Matrix difference(const Decomposition& stored, const Matrix& w);

}  // namespace ty
