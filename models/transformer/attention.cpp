#include "models/transformer/attention.h"

#include <cmath>

#include "core/ops/attention.h"

namespace ty {

namespace {

// What scores are multiplied by.
double scale_of(const ModelSpec& spec, std::int64_t layer) {
  const auto width = static_cast<double>(spec.width / spec.heads);
  const double scale = spec.scale_by_width ? 1.0 / std::sqrt(width) : 1.0;
  return spec.scale_by_depth ? scale / static_cast<double>(layer + 1) : scale;
}

}  // namespace

Attention::Attention(const BlockContext& at, const ModelSpec& spec, std::int64_t layer,
                     double out_std)
    : heads_(spec.heads),
      scale_(scale_of(spec, layer)),
      qkv_(at.make_linear("qkv", {.in = spec.width, .out = 3 * spec.width}, Split::out)),
      out_(at.make_linear("out", {.in = spec.width, .out = spec.width, .weight_std = out_std},
                          Split::in)),
      probabilities_(at.scope.child("dropout"), spec.dropout.attention) {}

Tensor Attention::operator()(const Tensor& x, const ForwardContext& context) const {
  const AttentionOptions options = {
      .scale = scale_, .causal = true, .dropout = probabilities_.mask(context)};
  return out_->forward(self_attention(qkv_->forward(x), heads_, options));
}

}  // namespace ty
