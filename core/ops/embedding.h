// Differentiable table lookup.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// Row ids[...] of table [V, C] for each id (int32): [..., C]; zeros for ids whose rows another
// slice of the table has. Ids must be in [0, V), or in the whole table that the slice is of: the
// data readers check them. The table's gradient is added row by row, in the order of ids. Throws
// ShapeError unless table and ids have these shapes.
Tensor embedding(const Tensor& table, const Tensor& ids, VocabularySlice slice = {});

}  // namespace ty
