// The bias of a linear layer [.., in] -> [.., out].
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// y [.., out] + bias [out] (undefined: y itself). Writes over y if nobody else holds it.
Tensor biased(Tensor y, const Tensor& bias);

// For functions that apply one themselves:
// Throws ShapeError, which names `function`, unless bias is undefined or [width].
void check_bias(const Tensor& bias, std::int64_t width, const char* function);
// y [.., out] += bias [out]; y is contiguous. A no-op if bias is undefined.
void add_bias(const Tensor& y, const Tensor& bias);
// The gradient of the bias: dy [.., out] summed over rows.
Gradient bias_gradient(const Tensor& dy);

}  // namespace ty
