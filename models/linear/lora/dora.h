// The lengths of columns of an adapted weight as parameters of their own (DoRA: Liu et al., arXiv
// 2402.09353):
//
//   y = x V diag(m / |V|) + b      V = W + s A B, |V| [out] the lengths of its columns, m [out]
//
// V is never made: |V|^2 = |W|^2 + 2 s B . (A^T W) + s^2 B . (A^T A B), where . sums the products
// of each column. W is frozen. The gradient of |V| is taken along; section 4.3 of the paper leaves
// it out to save memory, which this form does not need.
#pragma once

#include "models/linear/lora/fused_columns.h"

namespace ty {

struct DoraColumns {
  Tensor squares;    // |W|^2 [out]
  Tensor seen;       // A^T W [P r, out]
  Tensor turned;     // A^T [P r, in]
  Tensor b;          // [P r, out]
  Tensor magnitude;  // m [out], or [P out / 3] of P parts
  double scale = 1;  // s
  FusedParts parts;  // without any: all columns
};

// m / |V| [out], in the type of m; one in columns of other parts. Computed in fp32 at least.
// Differentiable.
Tensor dora_gain(const DoraColumns& columns);

// Of each column of w [in, out] the sum of squares [out], in fp32 at least; not differentiable.
Tensor column_squares(const Tensor& w);

}  // namespace ty
