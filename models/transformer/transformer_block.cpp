#include "models/transformer/transformer_block.h"

#include <cmath>
#include <utility>

#include "core/ops/elementwise.h"

namespace ty {

namespace {

// Of layers that add to the residual stream: where norms come first, they start smaller, as 2 L of
// them add up (Radford et al., 2019).
double residual_std(const ModelSpec& spec) {
  const double std = LinearShape{}.weight_std;
  return spec.norm_first ? std / std::sqrt(2.0 * static_cast<double>(spec.layers)) : std;
}

bool is_in_encoder(BlockPlace place) {
  return place == BlockPlace::encoder || place == BlockPlace::encoder_end;
}
bool is_in_decoder(BlockPlace place) {
  return place == BlockPlace::decoder || place == BlockPlace::decoder_end;
}

}  // namespace

TransformerBlock::TransformerBlock(const BlockContext& at, const ModelSpec& spec,
                                   std::int64_t layer, BlockPlace place)
    : norm_first_(spec.norm_first),
      place_(place),
      norm1_(at.child("norm1"), spec.width, spec.norm_epsilon),
      attention_(at.child("attn"), spec,
                 {.layer = layer,
                  .out_std = residual_std(spec),
                  .causal = spec.causal && !is_in_encoder(place),
                  .padded = !is_in_decoder(place)}),
      attention_dropout_(at.child("attn.out.dropout"), spec.dropout.residual),
      norm2_(at.child("norm2"), spec.width, spec.norm_epsilon),
      mlp_(at.child("mlp"), spec, residual_std(spec)),
      mlp_dropout_(at.child("mlp.down.dropout"), spec.dropout.residual) {
  if (!is_in_decoder(place)) return;
  norm_cross_.emplace(at.child("norm_cross"), spec.width, spec.norm_epsilon);
  cross_.emplace(at.child("cross"), spec, residual_std(spec));
  cross_dropout_.emplace(at.child("cross.out.dropout"), spec.dropout.residual);
}

template <typename F>
Tensor TransformerBlock::around(const Norm& norm, const Tensor& x, const F& f) const {
  return norm_first_ ? add(x, f(norm(x))) : norm(add(x, f(x)));
}

Flow TransformerBlock::forward(Flow in, const ForwardContext& given) const {
  if (is_in_encoder(place_) && !given.batch.has(Column::ids)) return in;
  Latents latents = {std::move(in.latents), {}};
  ForwardContext context = given;
  context.latents = &latents;
  Tensor x = around(norm1_, in.hidden, [&](const Tensor& t) {
    return attention_dropout_(attention_(t, context), context);
  });
  if (cross_) {
    x = around(*norm_cross_, x, [&](const Tensor& t) {
      return (*cross_dropout_)((*cross_)(t, in.memory, context), context);
    });
  }
  x = around(norm2_, x, [&](const Tensor& t) { return mlp_dropout_(mlp_(t, context), context); });
  switch (place_) {
    case BlockPlace::encoder_end:
      return {.hidden = in.memory, .memory = x};
    case BlockPlace::encoder:
    case BlockPlace::decoder:
      return {.hidden = x, .memory = in.memory, .latents = std::move(latents.made)};
    default:
      return {.hidden = x, .latents = std::move(latents.made)};
  }
}

}  // namespace ty
