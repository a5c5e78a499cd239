// The contract of a linear layer, whatever its weight is made of.
//
// Model code asks for a layer by name, size and split and never learns its kind; the kind is chosen
// by rules on names (rules.h). Every kind offers dense_weight(), which is what tests compare it
// against.
#pragma once

#include "core/nn/parameter.h"
#include "parallel/comm/communicator.h"

namespace ty {

// What a layer needs to know before its kind is chosen.
struct LinearShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool bias = true;
  double weight_std = 0.02;  // of the initial dense weight's entries
};

// How a layer is divided over the ranks of a tensor group. out: the whole input, own slice of the
// output. in: own slice of the input, the whole output. A group of one rank makes them all the
// same.
enum class Split : std::uint8_t { none, out, in };

// The ranks that share layers, and what lies around a pair of them (out, then in): whole
// activations, or (rows) each rank's own rows of [B T, C].
struct Sharing {
  Group tensor = {};
  bool rows = false;
};

class Linear {
 public:
  virtual ~Linear() = default;
  // x [..., in] -> [..., out].
  virtual Tensor forward(const Tensor& x) const = 0;
  // The [in, out] matrix that forward() multiplies by, bias excluded; not differentiable.
  virtual Tensor dense_weight() const = 0;

  // Between these two, parameters do not change and several graphs are made, each with a backward
  // of its own; the last of them must release shared results (graph.h). A kind may prepare here
  // what all of them use: ttm makes W, and keeps it and the sum of its gradients until the end.
  virtual void begin_step() {}
  virtual void end_step() {}
};

// The whole weights in a share of the dense layer's.
std::int64_t weights_in_share(double share, const LinearShape& shape);

}  // namespace ty
