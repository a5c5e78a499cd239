#include "models/transformer/decoder_block.h"

#include <cmath>

#include "core/ops/elementwise.h"

namespace ty {

namespace {

// Layers that add to the residual stream start smaller, as 2 L of them add up (Radford et al.).
double residual_std(const ModelSpec& spec) {
  return LinearShape{}.weight_std / std::sqrt(2.0 * static_cast<double>(spec.layers));
}

}  // namespace

DecoderBlock::DecoderBlock(const BlockContext& at, const ModelSpec& spec, std::int64_t layer)
    : norm1_(at.child("norm1"), spec.width, spec.norm_epsilon),
      attention_(at.child("attn"), spec, layer, residual_std(spec)),
      attention_dropout_(at.child("attn.out.dropout"), spec.dropout.residual),
      norm2_(at.child("norm2"), spec.width, spec.norm_epsilon),
      mlp_(at.child("mlp"), spec, residual_std(spec)),
      mlp_dropout_(at.child("mlp.down.dropout"), spec.dropout.residual) {}

Flow DecoderBlock::forward(Flow in, const ForwardContext& context) const {
  const Tensor& x = in.hidden;
  const Tensor h = add(x, attention_dropout_(attention_(norm1_(x), context), context));
  return {add(h, mlp_dropout_(mlp_(norm2_(h)), context))};
}

}  // namespace ty
