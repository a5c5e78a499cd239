#include "models/transformer/cross_attention.h"

#include <cmath>

#include "core/base/error.h"
#include "core/ops/attention.h"
#include "core/ops/shape.h"
#include "models/transformer/layer_pair.h"

namespace ty {

CrossAttention::CrossAttention(const BlockContext& at, const ModelSpec& spec, double out_std)
    : site_(site_id(at.scope.path())),
      heads_(OwnHeads::of(at, spec)),
      scale_(1.0 / std::sqrt(static_cast<double>(spec.width / spec.heads))),
      probabilities_(at.child("dropout"), spec.dropout.attention) {
  const LinearShape q = {.in = spec.width, .out = spec.width};
  const LinearShape out = {.in = spec.width, .out = spec.width, .weight_std = out_std};
  LayerPair pair = make_pair(at, {"q", q}, {"out", out}, Between::heads);
  if (pair.lies_outside) heads_ = {spec.heads, 0};
  q_ = std::move(pair.out);
  out_ = std::move(pair.in);
  const LinearShape kv = {.in = spec.width, .out = 2 * spec.width};
  const std::string path = at.scope.child("kv").path();
  if (latent_width(at.linear.choose(path, kv)) > 0) {  // a cache would have no latents to hand on
    throw ConfigError(Key{"linear"},
                      "{} reads what the encoder returned, of which no lax layer hands latents on; "
                      "want svd there",
                      path);
  }
  kv_ = at.make_linear("kv", kv, pair.lies_outside ? Split::none : Split::out);
}

KvCache::Entry CrossAttention::entry_for(const Tensor& memory, std::int64_t sequences) const {
  const Tensor kv = kv_->forward(memory);
  const std::int64_t heads = heads_.count, width = kv.dim(-1) / (2 * heads);
  const Tensor both =
      permute(reshape(kv, {sequences, -1, heads, 2 * width}), {0, 2, 1, 3});  // [B, H, S, 2D]
  // Each in memory of its own, in the order in which attention reads them.
  const auto half = [&](std::int64_t which) {
    const Tensor part = narrow(both, 3, which * width, width);
    const Tensor own =
        Tensor::empty(kv.backend(), part.shape(), kv.dtype(), MemoryClass::activation);
    kv.backend().copy(own.view(), part.view());
    return own;
  };
  return {half(0), half(1)};
}

Tensor CrossAttention::operator()(const Tensor& x, const Tensor& memory,
                                  const ForwardContext& context) const {
  const std::int64_t sequences = context.batch.sequences, heads = heads_.count;
  const AttentionOptions options = {.scale = scale_,
                                    .causal = false,
                                    .dropout = probabilities_.mask_of_samples(context),
                                    .first_head = heads_.first};
  const LinearPass pass = pass_of(context);
  const Tensor q = q_->forward_in(x, pass);  // own heads of all rows
  if (context.cache != nullptr) {
    return out_->forward_in(
        context.cache->attend_source(site_, reshape(q, {sequences, -1, q.dim(-1)}), heads, options,
                                     [&] { return entry_for(memory, sequences); }),
        pass);
  }
  const Tensor kv = kv_->forward_in(memory, pass);
  const std::int64_t width = q.dim(-1) / heads;
  const Tensor queries = reshape(q, {sequences, -1, heads, width});
  const Tensor both = reshape(kv, {sequences, -1, heads, 2 * width});
  const Tensor y = attention(queries, narrow(both, 3, 0, width), narrow(both, 3, width, width),
                             options, context.batch.find(Column::lengths));
  return out_->forward_in(reshape(y, {sequences, -1, heads * width}), pass);
}

}  // namespace ty
