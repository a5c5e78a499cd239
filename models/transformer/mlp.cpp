#include "models/transformer/mlp.h"

#include "core/ops/elementwise.h"

namespace ty {

Mlp::Mlp(const BlockContext& at, const ModelSpec& spec, double down_std)
    : activation_(spec.activation) {
  require_even("model.inner", spec.inner_width(), at.sharing);
  const LinearShape up = {.in = spec.width, .out = spec.inner_width()};
  const LinearShape down = {.in = up.out, .out = up.in, .weight_std = down_std};
  const LinearLayout layout = at.layout_of("up", up, Split::out);
  const bool alike = layout == at.layout_of("down", down, Split::in);
  // Where both are whole on every rank, its rows go through both, and nothing crosses ranks.
  const bool on_own_rows = layout == LinearLayout::whole && at.sharing.has_own_rows();
  const bool is_outside = alike && (on_own_rows || layout == LinearLayout::rank);
  up_ = at.make_linear("up", up, is_outside ? Split::none : Split::out);
  down_ = at.make_linear("down", down, is_outside ? Split::none : Split::in);
}

Tensor Mlp::operator()(const Tensor& x) const {
  return down_->forward(activation(activation_, up_->forward(x)));
}

}  // namespace ty
