#include "models/transformer/norm.h"

#include "parallel/tensor/norm.h"

namespace ty {

Norm::Norm(const BlockContext& at, std::int64_t width, double epsilon)
    : gain_(declare_along_columns(at.scope, "weight", {width}, 0, Init::constant(1.0), at.sharing)),
      bias_(declare_along_columns(at.scope, "bias", {width}, 0, Init::constant(0.0), at.sharing)),
      epsilon_(epsilon),
      ranks_(at.sharing.has_own_columns() ? at.sharing.tensor : Group()) {}

Tensor Norm::operator()(const Tensor& x) const {
  return layer_norm(x, gain_.value, bias_.value, epsilon_, ranks_);
}

}  // namespace ty
