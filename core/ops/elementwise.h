// Pointwise differentiable functions; shapes broadcast by numpy's rules.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
// factor * x.
Tensor scale(const Tensor& x, double factor);
// The pointwise function `op` of x.
Tensor activation(UnaryOp op, const Tensor& x);
// x with elements dropped by the mask; x itself when mask.p is 0.
Tensor dropout(const Tensor& x, const DropoutMask& mask);
// Sum of all elements: [1].
Tensor sum(const Tensor& x);

// Not differentiable: x summed over the dimensions that broadcasting added, back to `shape`.
Tensor reduce_to(const Tensor& x, const Shape& shape);
// Not differentiable: memory for a result of x's shape; x's own memory if nothing else refers to
// it.
Tensor reuse_or_empty(const Tensor& x);

}  // namespace ty
