// One layer of a transformer: attention, attention to the encoder's result (in the decoder of an
// encoder-decoder), and MLP, each added to its input, with a norm before it or after the sum:
//
//   norm first   x --+-- norm -- f -- dropout --(+)--> y
//                    +---------------------------/
//   norm last    x --+-- f -- dropout --(+)-- norm --> y
//                    +-------------------/
#pragma once

#include <optional>

#include "models/transformer/attention.h"
#include "models/transformer/cross_attention.h"
#include "models/transformer/mlp.h"
#include "models/transformer/norm.h"

namespace ty {

// Where a block stands. The last one of an encoder exchanges what flows: the decoder's embeddings
// go on, and its own result becomes what the decoder attends to.
enum class BlockPlace : std::uint8_t { alone, encoder, encoder_end, decoder, decoder_end };

class TransformerBlock final : public Block {
 public:
  // `layer`: its number among the blocks of its place, from 0.
  TransformerBlock(const BlockContext& at, const ModelSpec& spec, std::int64_t layer,
                   BlockPlace place);
  // [B, T, C] or own rows or columns of it; the result likewise.
  Flow forward(Flow in, const ForwardContext& context) const override;

 private:
  // x and what f makes of it, normed as the model has it.
  template <typename F>
  Tensor around(const Norm& norm, const Tensor& x, const F& f) const;

  bool norm_first_;
  BlockPlace place_;
  Norm norm1_;
  Attention attention_;
  Dropout attention_dropout_;
  std::optional<Norm> norm_cross_;
  std::optional<CrossAttention> cross_;
  std::optional<Dropout> cross_dropout_;
  Norm norm2_;
  Mlp mlp_;
  Dropout mlp_dropout_;
};

}  // namespace ty
