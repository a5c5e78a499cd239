#include "models/linear/svd.h"

#include "core/ops/matmul.h"
#include "models/linear/factor_init.h"
#include "models/linear/low_rank_function.h"

namespace ty {

SvdLinear::SvdLinear(const Scope& scope, const LinearShape& shape, const SvdSpec& spec)
    : a_(scope.parameter("a", {shape.in, spec.rank}, svd_inits(shape, spec, scope.path()).a)),
      b_(scope.parameter("b", {spec.rank, shape.out}, svd_inits(shape, spec, scope.path()).b)),
      bias_(shape.bias ? &scope.parameter("bias", {shape.out}, Init::constant(0.0)) : nullptr) {}

Tensor SvdLinear::forward(const Tensor& x) const {
  return low_rank_linear(x, a_.value, b_.value, bias_ != nullptr ? bias_->value : Tensor());
}

Tensor SvdLinear::dense_weight() const {
  const NoGrad no_grad;
  return matmul(a_.value, b_.value);
}

}  // namespace ty
