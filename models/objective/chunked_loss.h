// The loss of a model's last block, some rows at a time: neither all logits nor their gradient are
// ever in memory, only those of a chunk.
//
//   hidden [N, k] --- rows of a chunk ---> logits [n, V] ---> loss
//                 <-- its gradient's rows --
//
// A chunk runs forward and backward before the next begins.
#pragma once

#include "core/autograd/backward.h"
#include "models/objective/objective.h"
#include "models/transformer/model.h"

namespace ty {

// The sum of the losses of a batch's rows, [1]; `out` is what the model returned for it. Records
// nothing.
Tensor total_loss(const Model& model, const Objective& objective, const Flow& out,
                  const Batch& batch);

// The same, after gradients of `weight` times this sum were sent back through the readout and, by
// `options`, through the graph behind `out`. Leaves that the readout alone reads are not reported
// as complete.
Tensor backward_from_loss(const Model& model, const Objective& objective, Flow out,
                          const Batch& batch, double weight, const BackwardOptions& options = {});

}  // namespace ty
