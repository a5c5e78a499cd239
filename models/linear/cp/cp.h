// The cp kind: W as the tensor (n_1 .. n_N) of a tensor train matrix (ttm_shape.h) is a sum of R
// outer products (canonical polyadic decomposition: Hitchcock, 1927; Kolda and Bader, SIAM Review
// 51(3), 2009).
//
//   W[i, j] = sum_r U_1[i_1, j_1, r] U_2[r, i_2, j_2] .. U_N[r, i_N, j_N]
//
// With two modes that is the kronecker kind. All factors but the first are multiplied term by term
// to one core, and the layer runs as a tensor train of two cores:
//
//   core1 = U_1 [1, I_1, J_1, R],  core2[r, (i_2 i_3), (j_2 j_3), 0] = U_2[r, i_2, j_2] U_3[r, i_3,
//   j_3]
#pragma once

#include <vector>

#include "models/linear/base/factors.h"
#include "models/linear/ttm/ttm.h"

namespace ty {

struct CpSpec {
  static constexpr std::string_view kKind = "cp";

  std::vector<std::int64_t> in = {}, out = {};  // modes; empty: chosen
  std::int64_t modes = 3;                       // at most so many, where they are chosen
  std::int64_t terms = 0;                       // R; 0: see keep
  double keep = 0;  // number of weights, as a fraction of the dense layer's; 0: see terms

  friend bool operator==(const CpSpec&, const CpSpec&) = default;
};

void fields(config::Fields& f, CpSpec& spec);
std::optional<SpecFault> fault_of(const CpSpec& spec);
CpSpec resolved(const CpSpec& spec, const LinearShape& shape);
// "cp 40 terms in [8, 12, 8] out [12, 16, 16]"
std::string describe(const CpSpec& spec);
std::int64_t num_weights(const CpSpec& spec, const LinearShape& shape);
// The train that a resolved spec runs as.
TtmSpec runs_as(const CpSpec& spec);
// Of the train and of making its second core.
double forward_flops(const CpSpec& spec, const LinearShape& shape, std::int64_t tokens);
// Parameters factor1 [1, I_1, J_1, R], factor2 .. factorN [R, I_k, J_k] and bias [out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const CpSpec& spec, Split split, const Sharing& sharing);

// Its modes, with ranks of 1.
TtmShape modes_of(const CpSpec& spec);

}  // namespace ty
