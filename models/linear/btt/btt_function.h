// The pass through a block tensor train.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// x [.., m1 m2] through a [m2, m1, n1 r], b [n1, m2 r, n2] and bias [n1 n2] (undefined: none) to
// [.., n1 n2]:
//
//   x [T, m1, m2] --- for each i2, a[i2] ---> z [T, n1, m2, r] --- for each j1, b[j1] ---> y [T,
//   n1, n2]
//
// Keeps x alone; z is made again for the gradients. Throws ShapeError.
Tensor btt_linear(const Tensor& x, const Tensor& a, const Tensor& b, const Tensor& bias);

}  // namespace ty
