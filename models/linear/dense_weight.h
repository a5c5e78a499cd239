// The dense matrix that a linear layer of any kind represents, computed from its parameters.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/linalg/matrix.h"
#include "models/linear/base/spec.h"

namespace ty {

// Returns the values of a parameter, row-major, by its name within the layer ("core1").
using ParameterValues =
    std::function<std::vector<double>(const std::string& name, const Shape& shape)>;

// The matrix [in, out] of a layer with an exact spec.
Matrix dense_weight(const LinearSpec& spec, const LinearShape& size, const ParameterValues& values);

}  // namespace ty
