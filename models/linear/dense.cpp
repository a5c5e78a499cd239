#include "models/linear/dense.h"

#include "core/ops/matmul.h"

namespace ty {

DenseLinear::DenseLinear(const Scope& scope, const LinearShape& shape)
    : weight_(scope.parameter("weight", {shape.in, shape.out}, Init::normal(shape.weight_std))),
      bias_(shape.bias ? &scope.parameter("bias", {shape.out}, Init::constant(0.0)) : nullptr) {}

Tensor DenseLinear::forward(const Tensor& x) const {
  return linear(x, weight_.value, bias_ != nullptr ? bias_->value : Tensor());
}

Tensor DenseLinear::dense_weight() const { return weight_.value.detach(); }

}  // namespace ty
