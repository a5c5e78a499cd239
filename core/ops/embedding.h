// Differentiable table lookup.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// The rows of table [V, C] for ids [...] (int32): [..., C]; zeros for ids whose row is in another
// slice of the table. Ids must be valid for the whole table; the data readers check them. The
// gradient of the table is accumulated row by row, in the order of ids. Throws ShapeError unless
// table and ids have these shapes.
Tensor embedding(const Tensor& table, const Tensor& ids, VocabularySlice slice = {});

}  // namespace ty
