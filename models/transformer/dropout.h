// Dropout at one named place of a model; the identity outside of training.
#pragma once

#include "models/transformer/block.h"

namespace ty {

class Dropout {
 public:
  // The place's path is part of the key of its random numbers.
  Dropout(const Scope& scope, double p);
  // For kernels that drop numbers themselves.
  DropoutMask mask(const ForwardContext& context) const;
  // x [B, ..]
  Tensor operator()(const Tensor& x, const ForwardContext& context) const;

 private:
  double p_;
  std::uint64_t site_;
};

}  // namespace ty
