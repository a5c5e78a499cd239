// The contract of a linear layer, whatever its weight is made of.
//
// A scope that a layer is given places what it declares outside (sharing.h), which is right for all
// but a rank's own parts.
//
// Model code asks for a layer by name, size and split and never learns its kind; the kind is chosen
// by rules on names (rules.h). Every kind offers dense_weight(), which is what tests compare it
// against.
#pragma once

#include "models/linear/base/sharing.h"

namespace ty {

struct LinearPass;

// What a layer needs to know before its kind is chosen.
struct LinearShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool bias = true;
  double weight_std = 0.02;  // of the initial dense weight's entries
  // H of a fused q, k and v, whose columns are head by head, with q, k and v in each; 0: not fused.
  std::int64_t heads = 0;
};

// How a layer is divided over the ranks of a tensor group (sharing.h). out: takes what lies outside
// and returns own columns of all rows. in: the other way round. none: outside on both sides.
enum class Split : std::uint8_t { none, out, in };

// The shards of a rank's part of a dense weight, or of the factor that lies inside.
WeightShards shards_of(const LinearShape& shape, Split split, const Sharing& sharing);

class Linear {
 public:
  virtual ~Linear() = default;
  // x [..., in] -> [..., out]; of a shared layer, what its split says.
  virtual Tensor forward(const Tensor& x) const { return apply(enter(x)); }
  // The same as a part of a pass, which counts for what is dropped in training.
  virtual Tensor forward_in(const Tensor& x, const LinearPass&) const { return forward(x); }
  // The same in two steps: what crosses ranks before the product, and the product, which treats
  // each row alone. So a layer whose result is large can be applied to a few rows at a time.
  virtual Tensor enter(const Tensor& x) const { return x; }
  virtual Tensor apply(const Tensor& entered) const = 0;
  // The [in, out] matrix that forward() multiplies by, bias excluded, or this rank's part of it;
  // not differentiable.
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
