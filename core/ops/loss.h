// Losses.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// Sum over rows of -log softmax(logits)[target], in nats: [1], in float (double for fp64 logits).
// logits [N, V], targets [N] int32; a negative target is ignored. Not a mean: weighting by the
// number of valid tokens of the whole global batch is the caller's, through the seed of backward().
// Backward writes over the logits if nobody else holds them.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets);

}  // namespace ty
