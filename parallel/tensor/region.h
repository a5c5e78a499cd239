// What lies between the parts of a model that are computed once and those that the ranks of a
// tensor group share. Each function is named by what it does forward and backward, and both are
// collective calls of the group:
//
//   identity_all_reduce   into shared layers: every rank reads all of x, the ranks' gradients of it
//                         add up
//   all_reduce_identity   out of shared layers: the ranks' results are partial sums
//   all_gather_reduce_scatter, reduce_scatter_all_gather
//                         the same two where the outside is divided by rows (Korthikanti et al.,
//                         arXiv 2205.05198): of x [n R, C], rank r has rows [r R, (r + 1) R)
//   all_gather_reduce_scatter_columns, reduce_scatter_all_gather_columns
//                         the same where the outside is divided by columns
//   all_reduce_all_reduce from a sum of the ranks' terms into shared layers
//   all_gather_columns    into layers that every rank applies whole: own columns to all of them
//   rows_to_columns, columns_to_rows
//                         all columns of own rows <-> own columns of all rows (all-to-all)
//
//   rank 0 of 2   x0 --- all_gather --->  x0   --- W0 --->  y0 + y0'   --- reduce_scatter --->  y0
//   rank 1        x1                      x1       W1       y1 + y1'                            y1
//
// With a group of one rank each returns x. Reduction says in which order ranks are added up. What
// crosses ranks in the forward direction is kept by recomputation (once(), core/autograd/replay.h),
// so that a replay calls no collective.
#pragma once

#include "core/autograd/graph.h"
#include "parallel/comm/communicator.h"
#include "parallel/data/reduction.h"

namespace ty {

// x, whole on every rank.
Tensor identity_all_reduce(const Tensor& x, const Group& group,
                           Reduction reduction = Reduction::fast);
// The sum of the ranks' x. Writes over x if nobody else holds it.
Tensor all_reduce_identity(Tensor x, const Group& group, Reduction reduction = Reduction::fast);

// Own rows [.., C] (R of them) -> all rows [n R, C].
Tensor all_gather_reduce_scatter(const Tensor& x, const Group& group);
// All rows [.., C] (n R of them) -> own rows of the ranks' sum [R, C]. Throws ShapeError unless the
// group's size divides the number of rows.
Tensor reduce_scatter_all_gather(const Tensor& x, const Group& group);

// Own columns [.., C] -> all columns [.., n C].
Tensor all_gather_reduce_scatter_columns(const Tensor& x, const Group& group);
// All columns [.., n C] -> own columns of the ranks' sum [.., C]. Throws ShapeError unless the
// group's size divides the number of columns.
Tensor reduce_scatter_all_gather_columns(const Tensor& x, const Group& group);

// The sum of the ranks' x, read by every rank. Writes over x if nobody else holds it.
Tensor all_reduce_all_reduce(Tensor x, const Group& group);

// Own columns [.., C] -> those of all ranks [.., n C], read by layers that all ranks apply alike.
Tensor all_gather_columns(const Tensor& x, const Group& group);

// Own rows [R, n C] -> own columns of all rows [n R, C]. Throws ShapeError unless the group's size
// divides the number of columns.
Tensor rows_to_columns(const Tensor& x, const Group& group);
// Own columns of all rows [n R, C] -> own rows [R, n C]. Throws ShapeError unless the group's size
// divides the number of rows.
Tensor columns_to_rows(const Tensor& x, const Group& group);

}  // namespace ty
