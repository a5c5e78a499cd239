// Losses.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// Sum over rows of -log softmax(logits)[target], or of what CrossEntropyTerms makes of it, in nats:
// [1], in float (double for fp64 logits). logits [N, V], targets [N] int32; negative targets are
// ignored. Not a mean: the caller weights by the number of valid tokens of the global batch,
// through the gradient that it passes to backward(). Backward overwrites the logits if nothing else
// refers to them. Throws ShapeError for other shapes and for targets of V or more.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const CrossEntropyTerms& terms = {});

// Of rows (2 i, 2 i + 1) of logits [2 N, V], with p and q their softmax: the sum over i of
// KL(p | q) + KL(q | p), in nats, [1] in float (double for fp64 logits).
Tensor divergence_of_pairs(const Tensor& logits);

}  // namespace ty
