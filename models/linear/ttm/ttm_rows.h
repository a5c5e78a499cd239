// Single rows of a tensor train matrix, for tables that ids read.
#pragma once

#include <span>

#include "core/autograd/graph.h"
#include "models/linear/ttm/ttm_plan.h"

namespace ty {

// Rows `ids` [..] (int32) of W [in, out]: [.., out]; zeros for ids outside of a slice of the rows.
// Each is made core by core, of the matrices that its digits choose, row = G_1[i_1] G_2[i_2] ..:
//
//   row [C_1 .. C_k, R_k] = row [C_1 .. C_{k-1}, R_{k-1}] x G_k[:, i_k, :, :] [R_{k-1}, C_k R_k]
//
// Or W is made and read, if that is less to go through: ids are many, or the table small.
// Differentiable; reads ids on the host in the first case.
Tensor ttm_rows(std::span<const Tensor> cores, const TtmLayer& layer, const Tensor& ids,
                VocabularySlice slice = {});

// Whether so many rows are made one by one.
bool makes_single_rows(const TtmLayer& layer, std::int64_t rows);

}  // namespace ty
