// The first block: token and position vectors.
#pragma once

#include <memory>

#include "models/transformer/dropout.h"
#include "models/transformer/spec.h"
#include "models/transformer/token_table.h"

namespace ty {

inline constexpr double kEmbeddingStd = 0.02;  // of all tables at the start

inline TokenTableShape token_table_shape(const ModelSpec& spec) {
  return {.vocab = spec.vocab, .width = spec.width, .std = kEmbeddingStd};
}

class Embeddings final : public Block {
 public:
  Embeddings(const BlockContext& at, const ModelSpec& spec);
  // The batch's ids [B, T] -> [B, T, C] or own rows or columns of it. Throws ShapeError for
  // sequences longer than the context.
  Flow forward(Flow in, const ForwardContext& context) const override;

 private:
  // Of x [B, T, C] by T, or of own rows one by one: int32.
  Tensor positions_of(const Tensor& x, std::int64_t length) const;

  Sharing sharing_;
  std::unique_ptr<TokenTable> tokens_;
  const Parameter& positions_;
  Dropout dropout_;
};

}  // namespace ty
