#include "core/tensor/tensor.h"

#include "core/base/error.h"

namespace ty {

Tensor Tensor::empty(Backend& backend, const Shape& shape, DType dtype, MemoryClass memory_class) {
  const std::size_t bytes = static_cast<std::size_t>(shape.numel()) * size_of(dtype);
  auto storage = std::make_shared<Storage>(backend, bytes, memory_class);
  void* data = storage->data();
  return Tensor(std::move(storage), contiguous_view(data, dtype, shape));
}

Tensor Tensor::empty_like(const Tensor& x) { return empty(x.backend(), x.shape(), x.dtype()); }

Tensor Tensor::full(Backend& backend, const Shape& shape, DType dtype, double value) {
  Tensor t = empty(backend, shape, dtype);
  backend.fill(t.view(), value);
  return t;
}

Tensor Tensor::contiguous() const {
  if (view_.is_contiguous()) return detach();
  Tensor copy = empty_like(*this);
  backend().copy(copy.view(), view_);
  return copy;
}

Tensor Tensor::to(DType dtype) const {
  Tensor copy = empty(backend(), shape(), dtype);
  backend().copy(copy.view(), view_);
  return copy;
}

double Tensor::item() const {
  if (numel() != 1) throw ShapeError("item: wants one element, got {}", shape().str());
  return to(DType::f64).values<double>()[0];
}

void Tensor::check_count(std::int64_t count) const {
  if (count != numel()) {
    throw ShapeError("tensor {}: wants {} values, got {}", shape().str(), numel(), count);
  }
}

void Tensor::check_dtype(DType wanted) const {
  if (dtype() != wanted) {
    throw ShapeError("values: tensor is {}, asked for {}", name_of(dtype()), name_of(wanted));
  }
}

}  // namespace ty
