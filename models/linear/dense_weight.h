// The matrix that a linear layer of any kind stands for, from the numbers of its parameters.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/linalg/matrix.h"
#include "models/linear/base/spec.h"

namespace ty {

// Numbers of a layer's parameter, row-major, by its name at the layer ("core1").
using ParameterValues =
    std::function<std::vector<double>(const std::string& name, const Shape& shape)>;

// The matrix [in, out] that a layer of an exact spec stands for.
Matrix dense_weight(const LinearSpec& spec, const LinearShape& size, const ParameterValues& values);

}  // namespace ty
