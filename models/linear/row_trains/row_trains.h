// The row_trains kind: every row of W [in, out] is a tensor train of its own, and rows share
// nothing (TensorGPT: Xu et al., arXiv 2307.00526, where they are the vectors of tokens).
//
//   W[i, :] = G_1[i] G_2[i] .. G_N[i]    core k of all rows: [in, R_{k-1}, J_k, R_k], R_0 = R_N = 1
//
// Columns have digits (j_1 .. j_N) as in ttm_shape.h; modes may multiply to more than `out`. As a
// layer W is made, multiplied by and kept for backward; a table reads the cores of its ids alone.
#pragma once

#include <vector>

#include "models/linear/base/factors.h"
#include "models/linear/ttm/ttm_shape.h"

namespace ty {

struct RowTrainsSpec {
  static constexpr std::string_view kKind = "row_trains";

  std::vector<std::int64_t> out = {};  // modes J_1 ..; empty: chosen
  std::int64_t cores = 3;              // at most so many, where modes are chosen
  std::int64_t rank = 0;               // of every bond, cut to what it can use; 0: see ranks, keep
  std::vector<std::int64_t> ranks = {};  // of each inner bond
  double keep = 0;                       // number of weights, as a fraction of the dense layer's

  friend bool operator==(const RowTrainsSpec&, const RowTrainsSpec&) = default;
};

void fields(config::Fields& f, RowTrainsSpec& spec);
std::optional<SpecFault> fault_of(const RowTrainsSpec& spec);
RowTrainsSpec resolved(const RowTrainsSpec& spec, const LinearShape& shape);
// "row_trains out [8, 8, 12] ranks [2, 2]"
std::string describe(const RowTrainsSpec& spec);
std::int64_t num_weights(const RowTrainsSpec& spec, const LinearShape& shape);
// Of making W and multiplying by it.
double forward_flops(const RowTrainsSpec& spec, const LinearShape& shape, std::int64_t tokens);
// Parameters core1 .. coreN and bias [out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const RowTrainsSpec& spec, Split split, const Sharing& sharing);

// The train of one row, as a matrix [1, out], of a resolved spec.
TtmShape row_shape(const RowTrainsSpec& spec);
// The resolved spec of trains of that shape.
RowTrainsSpec row_trains_spec(const TtmShape& row);

// Declares the cores of so many rows of W, all or this rank's.
std::vector<const Parameter*> declare_row_trains(const Scope& scope, const LinearShape& shape,
                                                 const RowTrainsSpec& spec, std::int64_t rows);
// Rows [N, out] of cores [N, R_{k-1}, J_k, R_k]. Differentiable.
Tensor contracted_rows(const std::vector<Tensor>& cores, std::int64_t out);

}  // namespace ty
