// What a model is trained for: which numbers of a batch count, and the loss of its results.
#pragma once

#include <cstdint>
#include <memory>

#include "models/transformer/batch.h"
#include "models/transformer/spec.h"
#include "parallel/tensor/vocabulary.h"

namespace ty {

class Objective {
 public:
  virtual ~Objective() = default;
  // The number of targets in a batch that count, by which a mean loss is divided; known before the
  // forward pass.
  virtual std::int64_t targets(const HostBatch& batch) const = 0;
  // The sum of the losses of rows [first, first + n) of a batch's results, [1], in nats where it is
  // a likelihood. logits: own columns of these rows [n, own V]; backward may write over them if
  // nobody else holds them.
  virtual Tensor loss(const Tensor& logits, const SharedVocabulary& vocabulary, const Batch& batch,
                      std::int64_t first) const = 0;
};

// Cross-entropy with the column of targets [B, T] or [B]; targets below 0 do not count. What is
// evaluated has no further terms.
std::unique_ptr<Objective> cross_entropy_objective(const CrossEntropyTerms& terms = {});
// Squared distance from the column of values [B, L], divided by L.
std::unique_ptr<Objective> squared_error_objective();

// `of`, and for batches with copies of each example `weight` times what the two answers to one
// differ by, KL(p | q) + KL(q | p). A mean over all copies then has half that weight for each
// example, and the mean of its two losses (R-Drop has their sum: Liang et al., arXiv 2106.14448;
// its alpha is twice this weight).
std::unique_ptr<Objective> consistent(std::unique_ptr<Objective> of, double weight);

// What a model with this head is trained for; without a head, the sum of its results, which stands
// for some loss in plans.
std::unique_ptr<Objective> objective_of(const HeadSpec& head, const CrossEntropyTerms& terms = {});

}  // namespace ty
