// The plain linear map: one weight matrix [in, out].
#pragma once

#include "models/linear/linear.h"

namespace ty {

class DenseLinear final : public Linear {
 public:
  DenseLinear(const Scope& scope, const LinearShape& shape);
  Tensor forward(const Tensor& x) const override;
  Tensor dense_weight() const override;

 private:
  const Parameter& weight_;
  const Parameter* bias_;
};

}  // namespace ty
