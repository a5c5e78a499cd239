#include "models/transformer/attention.h"

#include <cmath>

#include "core/ops/attention.h"
#include "core/ops/shape.h"
#include "models/transformer/kv_cache.h"
#include "models/transformer/layer_pair.h"

namespace ty {

namespace {

// What scores are multiplied by.
double scale_of(const ModelSpec& spec, std::int64_t layer) {
  const auto width = static_cast<double>(spec.width / spec.heads);
  const double scale = spec.scale_by_width ? 1.0 / std::sqrt(width) : 1.0;
  return spec.scale_by_depth ? scale / static_cast<double>(layer + 1) : scale;
}

}  // namespace

OwnHeads OwnHeads::of(const BlockContext& at, const ModelSpec& spec) {
  require_even("model.heads", spec.heads, at.sharing);
  const std::int64_t count = spec.heads / at.sharing.ranks();
  return {count, at.sharing.tensor.rank() * count};
}

Attention::Attention(const BlockContext& at, const ModelSpec& spec, const Options& options)
    : site_(site_id(at.scope.path())),
      heads_(OwnHeads::of(at, spec)),
      scale_(scale_of(spec, options.layer)),
      causal_(options.causal),
      padded_(options.padded),
      probabilities_(at.child("dropout"), spec.dropout.attention) {
  const LinearShape qkv = {.in = spec.width, .out = 3 * spec.width, .heads = spec.heads};
  const LinearShape out = {.in = spec.width, .out = spec.width, .weight_std = options.out_std};
  LayerPair pair = make_pair(at, {"qkv", qkv}, {"out", out}, Between::heads);
  if (pair.lies_outside) heads_ = {spec.heads, 0};
  qkv_ = std::move(pair.out);
  out_ = std::move(pair.in);
}

Tensor Attention::operator()(const Tensor& x, const ForwardContext& context) const {
  const AttentionOptions options = {.scale = scale_,
                                    .causal = causal_,
                                    .dropout = probabilities_.mask_of_samples(context),
                                    .first_head = heads_.first};
  const LinearPass pass = pass_of(context);
  const Tensor qkv = qkv_->forward_in(x, pass);  // own heads of all rows
  const Tensor by_sequence = reshape(qkv, {context.batch.sequences, -1, qkv.dim(-1)});
  if (context.cache != nullptr && causal_) {
    return out_->forward_in(context.cache->attend(site_, by_sequence, heads_.count, options), pass);
  }
  const Tensor lengths = padded_ ? context.batch.find(Column::lengths) : Tensor();
  return out_->forward_in(self_attention(by_sequence, heads_.count, options, lengths), pass);
}

}  // namespace ty
