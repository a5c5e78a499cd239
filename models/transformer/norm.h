// Layer normalisation (Ba et al., arXiv 1607.06450) with its gain and bias.
#pragma once

#include "models/transformer/block.h"

namespace ty {

class Norm {
 public:
  // Declares weight and bias [width].
  Norm(const BlockContext& at, std::int64_t width, double epsilon);
  // Over the last dimension, or that of which x has own columns.
  Tensor operator()(const Tensor& x) const;

 private:
  const Parameter& gain_;
  const Parameter& bias_;
  double epsilon_;
  Group ranks_;  // that have the other columns
};

}  // namespace ty
