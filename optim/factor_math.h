// What optimizers compute of factors with: products of matrices, and values in enough digits.
#pragma once

#include "core/nn/parameter.h"

namespace ty {

// a b, in memory of its own.
inline Tensor product_of(const View& a, const View& b, Backend& backend) {
  Tensor c = Tensor::empty(backend, {a.shape[0], b.shape[1]}, a.dtype, MemoryClass::workspace);
  backend.gemm(c.view(), a, b, {});
  return c;
}

// A parameter as the model reads it, in fp32 or fp64.
inline Tensor wide_value_of(const Parameter& parameter) {
  const Tensor value = parameter.value.detach();
  return size_of(value.dtype()) < 4 ? value.to(DType::f32) : value;
}

}  // namespace ty
