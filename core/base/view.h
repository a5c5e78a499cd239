// View: where elements lie in memory, and nothing else. It owns nothing and is the operand type of
// kernels and communicators. The same type serves inputs and outputs; each kernel's documentation
// says which is which.
#pragma once

#include <cstddef>
#include <span>

#include "core/base/dtype.h"
#include "core/base/shape.h"

namespace ty {

struct View {
  void* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;
  Strides strides;  // in elements; 0 repeats an element along that dimension

  int rank() const { return shape.rank(); }
  std::int64_t numel() const { return shape.numel(); }
  std::size_t bytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype); }
  // Row-major without gaps (dimensions of size 1 are ignored).
  bool is_contiguous() const;
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }

  // Elements [first, first + count) of one dimension.
  View slice(int dim, std::int64_t first, std::int64_t count) const;
  // Entry `index` of the leading dimension, which is dropped.
  View operator[](std::int64_t index) const;
  // The same elements with dimensions a and b exchanged.
  View transpose(int a, int b) const;
  // Dimension i of the result is dimension order[i] of this view.
  View permute(std::span<const int> order) const;
  // The same elements, row-major, in another shape of equal size; the view must be contiguous.
  View reshape(const Shape& target) const;
  // A contiguous view [.., C] as a matrix [N, C].
  View as_rows() const;
  // Repeats dimensions of size 1 (and new leading ones) up to `target`, by strides of 0.
  View expand(const Shape& target) const;
};

// A contiguous view of memory that the caller keeps alive.
View contiguous_view(void* data, DType dtype, const Shape& shape);

}  // namespace ty
