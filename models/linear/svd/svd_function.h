// A product of two thin matrices applied to activations, or two products with a function between
// them; differentiable.
#pragma once

#include <optional>

#include "core/ops/matmul.h"

namespace ty {

// y [.., out] = f(x [.., in] a [in, r]) b [r, out] + bias (undefined: none), f(z) = z without an
// activation. With WeightLayout::out_in both factors are stored transposed, a [r, in] and
// b [out, r]. Keeps x only; backward makes x a again.
Tensor svd_linear(const Tensor& x, const Tensor& a, const Tensor& b, const Tensor& bias,
                  std::optional<UnaryOp> activation = std::nullopt,
                  WeightLayout layout = WeightLayout::in_out);

}  // namespace ty
