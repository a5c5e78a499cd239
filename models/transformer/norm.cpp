#include "models/transformer/norm.h"

#include "core/ops/norm.h"

namespace ty {

Norm::Norm(const Scope& scope, std::int64_t width, double epsilon)
    : gain_(scope.parameter("weight", {width}, Init::constant(1.0))),
      bias_(scope.parameter("bias", {width}, Init::constant(0.0))),
      epsilon_(epsilon) {}

Tensor Norm::operator()(const Tensor& x) const {
  return layer_norm(x, gain_.value, bias_.value, epsilon_);
}

}  // namespace ty
