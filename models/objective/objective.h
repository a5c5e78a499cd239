// What a model is trained for: which targets of a batch count, and the loss of the last block's
// output.
#pragma once

#include <cstdint>
#include <memory>

#include "models/transformer/batch.h"

namespace ty {

class Objective {
 public:
  virtual ~Objective() = default;
  // The number of targets in a batch that count, by which a mean loss is divided; known before the
  // forward pass.
  virtual std::int64_t targets(const HostBatch& batch) const = 0;
  // The sum of their losses, [1] in nats. Takes ownership of the last block's output, which
  // backward may overwrite.
  virtual Tensor loss(Flow out, const Batch& batch) const = 0;
};

// Cross-entropy of logits [B, T, V] with the targets column [B, T]; negative targets are ignored.
std::unique_ptr<Objective> cross_entropy_objective();

}  // namespace ty
