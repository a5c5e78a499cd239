// Differentiable normalisation.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// Layer normalisation over the last dimension (Ba et al., arXiv 1607.06450). x [..., C], gamma and
// beta [C]. Keeps x and two numbers per row.
Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double eps);

}  // namespace ty
