// The last block of a language model: scores of all token ids for each token.
//
//   decoder    x -- norm -- [project] -- table                         Radford et al., 2019
//   masked     x -- transform -- activation -- norm -- table -- bias   arXiv 1810.04805
#pragma once

#include <memory>
#include <optional>

#include "models/linear/base/linear.h"
#include "models/transformer/norm.h"
#include "models/transformer/spec.h"
#include "models/transformer/token_table.h"

namespace ty {

class LanguageHead final : public Readout {
 public:
  // Throws ConfigError if more ranks share the model than there are token ids.
  LanguageHead(const BlockContext& at, const ModelSpec& spec);
  // [B, T, C] or own rows or columns of it -> what logits() takes, of all rows.
  Flow forward(Flow in, const ForwardContext& context) const override;
  Tensor logits(const Tensor& hidden) const override;
  SharedVocabulary vocabulary() const override { return vocabulary_; }

 private:
  std::optional<Norm> norm_;
  std::unique_ptr<Linear> transform_, project_;
  UnaryOp activation_;
  std::optional<Norm> transform_norm_;
  std::unique_ptr<TokenTable> table_;  // tied
  std::unique_ptr<Linear> linear_;     // untied
  const Parameter* bias_ = nullptr;    // of own ids
  SharedVocabulary vocabulary_;
};

}  // namespace ty
