// The last block: a norm, and the linear layer to the vocabulary.
#pragma once

#include <memory>

#include "models/linear/base/linear.h"
#include "models/transformer/norm.h"
#include "models/transformer/spec.h"
#include "models/transformer/token_table.h"

namespace ty {

class Head final : public Block {
 public:
  Head(const BlockContext& at, const ModelSpec& spec);
  // [B, T, C] -> logits [B, T, V].
  Flow forward(Flow in, const ForwardContext& context) const override;

 private:
  Norm norm_;
  std::unique_ptr<TokenTable> table_;  // tied
  std::unique_ptr<Linear> linear_;     // untied
};

}  // namespace ty
