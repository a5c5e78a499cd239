// What a model is trained for: which numbers of a batch count, and the loss of what its last block
// returns.
#pragma once

#include <cstdint>
#include <memory>

#include "models/transformer/batch.h"

namespace ty {

class Objective {
 public:
  virtual ~Objective() = default;
  // How many targets of a batch count: what a mean loss is divided by; known before the forward
  // pass.
  virtual std::int64_t targets(const HostBatch& batch) const = 0;
  // The sum of their losses, [1] in nats. Takes the last block's result over: backward may write
  // over it.
  virtual Tensor loss(Flow out, const Batch& batch) const = 0;
};

// Cross-entropy of logits [B, T, V] with the column of targets [B, T]; targets below 0 do not
// count.
std::unique_ptr<Objective> cross_entropy_objective();

}  // namespace ty
