#include "models/transformer/attention.h"

#include <cmath>

#include "core/ops/attention.h"
#include "core/ops/shape.h"
#include "models/transformer/layer_pair.h"

namespace ty {

namespace {

// What scores are multiplied by.
double scale_of(const ModelSpec& spec, std::int64_t layer) {
  const auto width = static_cast<double>(spec.width / spec.heads);
  const double scale = spec.scale_by_width ? 1.0 / std::sqrt(width) : 1.0;
  return spec.scale_by_depth ? scale / static_cast<double>(layer + 1) : scale;
}

std::int64_t own_heads(const BlockContext& at, const ModelSpec& spec) {
  require_even("model.heads", spec.heads, at.sharing);
  return spec.heads / at.sharing.ranks();
}

}  // namespace

Attention::Attention(const BlockContext& at, const ModelSpec& spec, std::int64_t layer,
                     double out_std)
    : heads_(own_heads(at, spec)),
      first_head_(at.sharing.tensor.rank() * heads_),
      scale_(scale_of(spec, layer)),
      probabilities_(at.child("dropout"), spec.dropout.attention) {
  const LinearShape qkv = {.in = spec.width, .out = 3 * spec.width};
  const LinearShape out = {.in = spec.width, .out = spec.width, .weight_std = out_std};
  LayerPair pair = make_pair(at, {"qkv", qkv}, {"out", out}, Between::heads);
  if (pair.lies_outside) {
    heads_ = spec.heads;
    first_head_ = 0;
  }
  qkv_ = std::move(pair.out);
  out_ = std::move(pair.in);
}

Tensor Attention::operator()(const Tensor& x, const ForwardContext& context) const {
  const AttentionOptions options = {.scale = scale_,
                                    .causal = true,
                                    .dropout = probabilities_.mask_of_samples(context),
                                    .first_head = first_head_};
  const Tensor qkv = qkv_->forward(x);  // own heads of all rows
  const Tensor by_sequence = reshape(qkv, {context.batch.sequences, -1, qkv.dim(-1)});
  return out_->forward(self_attention(by_sequence, heads_, options));
}

}  // namespace ty
