// Running a graph backwards: nodes run in reverse order of recording, which is a topological order
// and the same on every rank. Memory is freed as soon as it has been used; leaves accumulate the
// gradients that reach them.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

struct BackwardOptions {
  // Called for a leaf as soon as no remaining node of this backward() can contribute to it.
  std::function<void(Leaf&)> on_leaf_complete = {};
  // This is the last backward() to reach the shared results below it (see share() in graph.h).
  bool release_shared = false;
};

// Propagates gradients[i] (of outputs[i]'s shape; undefined: none) back from outputs[i]. Throws
// ShapeError if a gradient does not have its output's shape.
void backward(std::span<const Tensor> outputs, std::span<const Tensor> gradients,
              const BackwardOptions& options = {});
void backward(const Tensor& output, const Tensor& gradient, const BackwardOptions& options = {});

}  // namespace ty
