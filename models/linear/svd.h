// The low-rank kind: a linear map whose weight is W = A B, with A [in, r] and B [r, out].
#pragma once

#include "models/linear/linear.h"

namespace ty {

class SvdLinear final : public Linear {
 public:
  // Parameters a [in, r], b [r, out] and bias [out].
  SvdLinear(const Scope& scope, const LinearShape& shape, const SvdSpec& spec);
  Tensor forward(const Tensor& x) const override;
  Tensor dense_weight() const override;

 private:
  const Parameter& a_;
  const Parameter& b_;
  const Parameter* bias_;
};

}  // namespace ty
