// The last block of a model that says something of whole sequences: scores of labels, or numbers;
// or, without a head, what the last block gives.
//
//   x [B, T, C] -- norm -- pool [B, C] -- [linear, function] -- dropout -- labels [B, L]
#pragma once

#include <memory>
#include <optional>

#include "models/linear/base/linear.h"
#include "models/transformer/dropout.h"
#include "models/transformer/norm.h"
#include "models/transformer/spec.h"

namespace ty {

class LabelHead final : public Readout {
 public:
  LabelHead(const BlockContext& at, const ModelSpec& spec);
  // [B, T, C] or own rows or columns of it -> [B, C], or all rows [B T, C] without a head; the same
  // on all ranks.
  Flow forward(Flow in, const ForwardContext& context) const override;
  // [.., C] -> [.., L]; without a head, [.., C] itself.
  Tensor logits(const Tensor& hidden) const override;
  Tensor pooled(const Tensor& rows, const Batch& batch) const override;
  SharedVocabulary vocabulary() const override { return {.slice = {0, results_}}; }

 private:
  // [B, C] -> [B, C]: by the pooler's layer and function, where there is one.
  Tensor through_pooler(const Tensor& chosen) const;
  // Rows of x, by their numbers among all B T: the same on all ranks.
  Tensor rows(const Tensor& x, const std::vector<std::int32_t>& numbers,
              std::int64_t all_rows) const;

  Sharing sharing_;
  HeadSpec spec_;
  std::int64_t results_;
  std::optional<Norm> norm_;
  std::unique_ptr<Linear> pooler_, labels_;
  Dropout dropout_;
};

}  // namespace ty
