// Differentiable functions that only rearrange elements. Results share memory where strides allow.
#pragma once

#include <initializer_list>

#include "core/autograd/graph.h"

namespace ty {

// The same elements, row-major, in another shape of equal size; one entry may be -1.
Tensor reshape(const Tensor& x, Shape shape);
// Dimension i of the result is dimension order[i] of x. No copy.
Tensor permute(const Tensor& x, std::span<const int> order);
inline Tensor permute(const Tensor& x, std::initializer_list<int> order) {
  return permute(x, std::span(order.begin(), order.size()));
}
// Elements [first, first + count) of one dimension. No copy.
Tensor narrow(const Tensor& x, int dim, std::int64_t first, std::int64_t count);
// Of x [2 N, ..] the entries first, first + 2, .. [N, ..]; first is 0 or 1. No copy.
Tensor every_second(const Tensor& x, std::int64_t first);
// a[0], b[0], a[1], b[1], ..: [2 N, ..] of two [N, ..].
Tensor interleave(const Tensor& a, const Tensor& b);
// A contiguous tensor of the same values.
Tensor contiguous(const Tensor& x);

}  // namespace ty
