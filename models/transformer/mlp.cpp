#include "models/transformer/mlp.h"

#include "core/ops/elementwise.h"

namespace ty {

Mlp::Mlp(const BlockContext& at, const ModelSpec& spec, double down_std)
    : activation_(spec.activation),
      up_(at.make_linear("up", {.in = spec.width, .out = spec.inner_width()}, Split::out)),
      down_(at.make_linear("down",
                           {.in = spec.inner_width(), .out = spec.width, .weight_std = down_std},
                           Split::in)) {}

Tensor Mlp::operator()(const Tensor& x) const {
  return down_->forward(activation(activation_, up_->forward(x)));
}

}  // namespace ty
