// What a model is trained for: which numbers of a batch count, and the loss of its logits.
#pragma once

#include <cstdint>
#include <memory>

#include "models/transformer/batch.h"
#include "parallel/tensor/vocabulary.h"

namespace ty {

class Objective {
 public:
  virtual ~Objective() = default;
  // The number of targets in a batch that count, by which a mean loss is divided; known before the
  // forward pass.
  virtual std::int64_t targets(const HostBatch& batch) const = 0;
  // The sum of the losses of rows [first, first + n) of a batch's B T, [1] in nats. logits: their
  // own columns [n, own V]; backward may write over them if nobody else holds them.
  virtual Tensor loss(const Tensor& logits, const SharedVocabulary& vocabulary, const Batch& batch,
                      std::int64_t first) const = 0;
};

// Cross-entropy with the column of targets [B, T]; targets below 0 do not count. What is evaluated
// has no further terms.
std::unique_ptr<Objective> cross_entropy_objective(const CrossEntropyTerms& terms = {});

}  // namespace ty
