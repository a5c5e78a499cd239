#include "models/transformer/mlp.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"

namespace ty {

namespace {

void check_divides(const BlockContext& at, const ModelSpec& spec) {
  const int ranks = at.sharing.ranks();
  if (spec.inner_width() % ranks == 0) return;
  throw ConfigError(Key{"parallel.tensor"}, "{} ranks cannot share model.inner = {} evenly; {}",
                    ranks, spec.inner_width(), valid_degrees(spec.inner_width()));
}

}  // namespace

Mlp::Mlp(const BlockContext& at, const ModelSpec& spec, double down_std)
    : activation_((check_divides(at, spec), spec.activation)),
      up_(at.make_linear("up", {.in = spec.width, .out = spec.inner_width()}, Split::out)),
      down_(at.make_linear("down",
                           {.in = spec.inner_width(), .out = spec.width, .weight_std = down_std},
                           Split::in)) {}

Tensor Mlp::operator()(const Tensor& x) const {
  return down_->forward(activation(activation_, up_->forward(x)));
}

}  // namespace ty
