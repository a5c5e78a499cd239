// The first block: token and position vectors.
#pragma once

#include <memory>

#include "models/transformer/dropout.h"
#include "models/transformer/spec.h"
#include "models/transformer/token_table.h"

namespace ty {

inline constexpr double kEmbeddingStd = 0.02;  // of all tables at the start

class Embeddings final : public Block {
 public:
  Embeddings(const BlockContext& at, const ModelSpec& spec);
  // The batch's ids [B, T] -> [B, T, C]. Throws ShapeError for sequences longer than the context.
  Flow forward(Flow in, const ForwardContext& context) const override;

 private:
  std::unique_ptr<TokenTable> tokens_;
  const Parameter& positions_;
  Dropout dropout_;
};

}  // namespace ty
