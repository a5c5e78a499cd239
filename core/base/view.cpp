#include "core/base/view.h"

#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {
void* advance(const View& view, std::int64_t elements) {
  return static_cast<std::byte*>(view.data) +
         elements * static_cast<std::int64_t>(size_of(view.dtype));
}
}  // namespace

bool View::is_contiguous() const {
  std::int64_t step = 1;
  for (int i = rank() - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

View View::slice(int dim, std::int64_t first, std::int64_t count) const {
  TY_CHECK(first >= 0 && count >= 0 && first + count <= shape[dim], "slice [{}, +{}) of {}", first,
           count, shape.str());
  View result = *this;
  result.data = advance(*this, first * strides[dim]);
  result.shape[dim] = count;
  return result;
}

View View::operator[](std::int64_t index) const {
  View result = slice(0, index, 1);
  result.shape.erase(0);
  result.strides.erase(0);
  return result;
}

View View::transpose(int a, int b) const {
  View result = *this;
  std::swap(result.shape[a], result.shape[b]);
  std::swap(result.strides[a], result.strides[b]);
  return result;
}

View View::permute(std::span<const int> order) const {
  TY_CHECK(static_cast<int>(order.size()) == rank(), "permutation of {} dimensions on {}",
           order.size(), shape.str());
  View result = *this;
  for (int i = 0; i < rank(); ++i) {
    result.shape[i] = shape[order[static_cast<std::size_t>(i)]];
    result.strides[i] = strides[order[static_cast<std::size_t>(i)]];
  }
  return result;
}

View View::reshape(const Shape& target) const {
  TY_CHECK(is_contiguous() && target.numel() == numel(), "reshape of {} (strides {}) to {}",
           shape.str(), strides.str(), target.str());
  return contiguous_view(data, dtype, target);
}

View View::as_rows() const {
  const std::int64_t width = shape[-1];
  return reshape({width == 0 ? 0 : numel() / width, width});
}

View View::expand(const Shape& target) const {
  View result = *this;
  while (result.rank() < target.rank()) {
    result.shape.insert(0, 1);
    result.strides.insert(0, 0);
  }
  for (int i = 0; i < target.rank(); ++i) {
    if (result.shape[i] == target[i]) continue;
    if (result.shape[i] != 1 || result.rank() != target.rank()) {
      throw ShapeError("expand: {} does not broadcast to {}", shape.str(), target.str());
    }
    result.shape[i] = target[i];
    result.strides[i] = 0;
  }
  return result;
}

View contiguous_view(void* data, DType dtype, const Shape& shape) {
  return View{data, dtype, shape, contiguous_strides(shape)};
}

}  // namespace ty
