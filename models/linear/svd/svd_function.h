// A product of two thin matrices applied to activations, differentiable.
#pragma once

#include "core/ops/matmul.h"

namespace ty {

// y [.., out] = (x [.., in] a [in, r]) b [r, out] + bias (undefined: none). With
// WeightLayout::out_in both factors are stored transposed, a [r, in] and b [out, r]. Keeps x only;
// backward makes x a again.
Tensor svd_linear(const Tensor& x, const Tensor& a, const Tensor& b, const Tensor& bias,
                  WeightLayout layout = WeightLayout::in_out);

}  // namespace ty
