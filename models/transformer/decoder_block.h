// One layer of a decoder: attention and MLP, each with a norm before it and added to its input.
//
//   x --+-- norm1 -- attn -- dropout --(+)--+-- norm2 -- mlp -- dropout --(+)--> y
//       +------------------------------/    +-----------------------------/
#pragma once

#include "models/transformer/attention.h"
#include "models/transformer/mlp.h"
#include "models/transformer/norm.h"

namespace ty {

class DecoderBlock final : public Block {
 public:
  // `layer`: its number in the model, from 0.
  DecoderBlock(const BlockContext& at, const ModelSpec& spec, std::int64_t layer);
  // [B, T, C] or own rows or columns of it; the result likewise.
  Flow forward(Flow in, const ForwardContext& context) const override;

 private:
  Norm norm1_;
  Attention attention_;
  Dropout attention_dropout_;
  Norm norm2_;
  Mlp mlp_;
  Dropout mlp_dropout_;
};

}  // namespace ty
