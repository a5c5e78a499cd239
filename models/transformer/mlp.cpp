#include "models/transformer/mlp.h"

#include "core/ops/elementwise.h"
#include "models/transformer/layer_pair.h"

namespace ty {

Mlp::Mlp(const BlockContext& at, const ModelSpec& spec, double down_std)
    : activation_(spec.activation) {
  require_even("model.inner", spec.inner_width(), at.sharing);
  const LinearShape up = {.in = spec.width, .out = spec.inner_width()};
  const LinearShape down = {.in = up.out, .out = up.in, .weight_std = down_std};
  LayerPair pair = make_pair(at, {"up", up}, {"down", down}, Between::rows);
  up_ = std::move(pair.out);
  down_ = std::move(pair.in);
  inner_dropout_.emplace(at.child("inner.dropout"), spec.dropout.inner,
                         pair.lies_outside ? Lies::outside : Lies::inside);
}

Tensor Mlp::operator()(const Tensor& x, const ForwardContext& context) const {
  const LinearPass pass = pass_of(context);
  const Tensor inner = activation(activation_, up_->forward_in(x, pass));
  return down_->forward_in((*inner_dropout_)(inner, context), pass);
}

}  // namespace ty
