// A decomposition as a file holds it: factors rounded to their type, and the error that is true
// then.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/shape.h"
#include "models/compress/method.h"

namespace ty {

// Numbers of a map's parameter, row-major, by its name at the map ("core1").
using ParameterValues =
    std::function<std::vector<double>(const std::string& name, const Shape& shape)>;

// The matrix [in, out] that a map of an exact spec stands for.
Matrix dense_weight(const LinearSpec& spec, const LinearShape& size, const ParameterValues& values);

// What the method makes of w [in, out], its factors rounded to `dtype`; `error` is that of the
// rounded ones, without padding. An ErrorBudget holds for them unless their rounding alone is more:
// then it holds before rounding only. Throws as the method does, and NonFiniteError for a number
// that the type cannot hold.
Decomposition decompose_stored(const Method& method, const Matrix& w,
                               const DecompositionRequest& request, DType dtype);

}  // namespace ty
