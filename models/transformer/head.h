// The last block of a language model: a norm, and the linear layer to the vocabulary.
#pragma once

#include <memory>

#include "models/linear/base/linear.h"
#include "models/transformer/norm.h"
#include "models/transformer/spec.h"
#include "models/transformer/token_table.h"

namespace ty {

class Head final : public Readout {
 public:
  // Throws ConfigError if more ranks share the model than there are token ids.
  Head(const BlockContext& at, const ModelSpec& spec);
  // [B, T, C] or own rows or columns of it -> what logits() takes, of all rows.
  Flow forward(Flow in, const ForwardContext& context) const override;
  Tensor logits(const Tensor& hidden) const override;
  SharedVocabulary vocabulary() const override { return vocabulary_; }

 private:
  Norm norm_;
  std::unique_ptr<TokenTable> table_;  // tied
  std::unique_ptr<Linear> linear_;     // untied
  SharedVocabulary vocabulary_;
};

}  // namespace ty
