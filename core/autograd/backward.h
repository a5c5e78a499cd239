// Running a graph backwards: nodes run in the reverse of the order in which they were recorded,
// which is a topological order and the same on every rank. What has been used is freed, and leaves
// add up what arrives.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

struct BackwardOptions {
  // Called for a leaf as soon as no node still to run in this backward() can add to it.
  std::function<void(Leaf&)> on_leaf_complete = {};
  // This is the last backward() into the shared results it reaches.
  bool release_shared = false;
};

// Sends gradients[i] (of outputs[i]'s shape; undefined: none) back from outputs[i]. Throws
// ShapeError if a gradient does not have its output's shape.
void backward(std::span<const Tensor> outputs, std::span<const Tensor> gradients,
              const BackwardOptions& options = {});
void backward(const Tensor& output, const Tensor& gradient, const BackwardOptions& options = {});

}  // namespace ty
