// The contract of a linear map, whatever its weight is made of.
//
// Model code asks for a map by name, size and split and never learns its kind; the kind is chosen
// by rules on names. Every kind offers dense_weight(), which is what tests compare it against.
#pragma once

#include <memory>

#include "core/nn/parameter.h"
#include "models/linear/spec.h"

namespace ty {

// How a map is divided over the ranks of a tensor group. out: the whole input, own slice of the
// output. in: own slice of the input, the whole output. A group of one rank makes them all the
// same.
enum class Split : std::uint8_t { none, out, in };

class Linear {
 public:
  virtual ~Linear() = default;
  // x [..., in] -> [..., out].
  virtual Tensor forward(const Tensor& x) const = 0;
  // The [in, out] matrix that forward() multiplies by, bias excluded; not differentiable.
  virtual Tensor dense_weight() const = 0;

  // Between these two, parameters do not change and several graphs are made, each with a backward
  // of its own; the last of them must release shared results (autograd.h). A kind may prepare here
  // what all of them use: ttm makes W, and keeps it and the sum of its gradients until the end.
  virtual void begin_step() {}
  virtual void end_step() {}
};

// Declares the parameters of a map of a resolved kind under `scope` and returns it.
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LinearSpec& spec, Split split);

}  // namespace ty
