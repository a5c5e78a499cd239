// The bias of a linear layer [.., in] -> [.., out], shared by the functions that apply one.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// Throws ShapeError that names `function` unless bias is undefined or [width].
void check_bias(const Tensor& bias, std::int64_t width, const char* function);
// y [.., out] += bias [out]; y is contiguous. A no-op if bias is undefined.
void add_bias(const Tensor& y, const Tensor& bias);
// The gradient of the bias: dy [.., out] summed over rows.
Gradient bias_gradient(const Tensor& dy);

}  // namespace ty
