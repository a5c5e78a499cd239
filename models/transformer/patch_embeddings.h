// The first block of a model of images (Dosovitskiy et al., arXiv 2010.11929): a class token, and a
// projection of each patch. One table holds what is added to the one and to the others:
//
//   patches   zeros  patch 0  patch 1 ..   [B, T, n]
//   x P       0      p0 P     p1 P ..      [B, T, C]
//   types     class  bias     bias ..      rows of a table [2, C]
#pragma once

#include "models/transformer/text_embeddings.h"

namespace ty {

class PatchEmbeddings final : public Block {
 public:
  PatchEmbeddings(const BlockContext& at, const ModelSpec& spec);
  // The batch's patches [B, T, n] -> [B, T, C] or own rows or columns of it.
  Flow forward(Flow in, const ForwardContext& context) const override;

 private:
  Sharing sharing_;
  const Parameter& projection_;
  TokenPlaces places_;
};

}  // namespace ty
