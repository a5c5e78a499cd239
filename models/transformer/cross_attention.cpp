#include "models/transformer/cross_attention.h"

#include <cmath>

#include "core/ops/attention.h"
#include "core/ops/shape.h"
#include "models/transformer/layer_pair.h"

namespace ty {

CrossAttention::CrossAttention(const BlockContext& at, const ModelSpec& spec, double out_std)
    : heads_(OwnHeads::of(at, spec)),
      scale_(1.0 / std::sqrt(static_cast<double>(spec.width / spec.heads))),
      probabilities_(at.child("dropout"), spec.dropout.attention) {
  const LinearShape q = {.in = spec.width, .out = spec.width};
  const LinearShape out = {.in = spec.width, .out = spec.width, .weight_std = out_std};
  LayerPair pair = make_pair(at, {"q", q}, {"out", out}, Between::heads);
  if (pair.lies_outside) heads_ = {spec.heads, 0};
  q_ = std::move(pair.out);
  out_ = std::move(pair.in);
  kv_ = at.make_linear("kv", {.in = spec.width, .out = 2 * spec.width},
                       pair.lies_outside ? Split::none : Split::out);
}

Tensor CrossAttention::operator()(const Tensor& x, const Tensor& memory,
                                  const ForwardContext& context) const {
  const std::int64_t sequences = context.batch.sequences, heads = heads_.count;
  const AttentionOptions options = {.scale = scale_,
                                    .causal = false,
                                    .dropout = probabilities_.mask_of_samples(context),
                                    .first_head = heads_.first};
  const LinearPass pass = pass_of(context);
  const Tensor q = q_->forward_in(x, pass),
               kv = kv_->forward_in(memory, pass);  // own heads of all rows
  const std::int64_t width = q.dim(-1) / heads;
  const Tensor queries = reshape(q, {sequences, -1, heads, width});
  const Tensor both = reshape(kv, {sequences, -1, heads, 2 * width});
  const Tensor y = attention(queries, narrow(both, 3, 0, width), narrow(both, 3, width, width),
                             options, context.batch.find(Column::lengths));
  return out_->forward_in(reshape(y, {sequences, -1, heads * width}), pass);
}

}  // namespace ty
