// Differentiable table lookup.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// Row ids[...] of table [V, C] for each id (int32): [..., C]. Ids must be in [0, V): the data
// readers check them. The table's gradient is added row by row, in the order of ids.
Tensor embedding(const Tensor& table, const Tensor& ids);

}  // namespace ty
