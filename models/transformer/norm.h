// Layer normalisation (Ba et al., arXiv 1607.06450) with its gain and bias.
#pragma once

#include "core/nn/parameter.h"

namespace ty {

class Norm {
 public:
  // Declares weight and bias [width] under `scope`.
  Norm(const Scope& scope, std::int64_t width, double epsilon);
  // Over the last dimension.
  Tensor operator()(const Tensor& x) const;

 private:
  const Parameter& gain_;
  const Parameter& bias_;
  double epsilon_;
};

}  // namespace ty
