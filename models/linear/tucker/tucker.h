// The tucker kind: W as the tensor (n_1, n_2, n_3) of a tensor train matrix (ttm_shape.h) is a
// small tensor C times a factor along each mode (Tucker, 1966; Kolda and Bader, SIAM Review 51(3),
// 2009).
//
//   W[i, j] = sum_abc C[a, b, c] U_1[i_1, j_1, a] U_2[b, i_2, j_2] U_3[c, i_3, j_3]
//
// C and U_2 are multiplied to one core, and the layer runs as a tensor train:
//
//   core1 = U_1 [1, I_1, J_1, R_1],  core2[a, i_2, j_2, c] = sum_b C[a, b, c] U_2[b, i_2, j_2],
//   core3 = U_3 [R_3, I_3, J_3, 1]
#pragma once

#include <array>
#include <vector>

#include "models/linear/base/factors.h"
#include "models/linear/ttm/ttm.h"

namespace ty {

struct TuckerSpec {
  static constexpr std::string_view kKind = "tucker";

  std::vector<std::int64_t> in = {}, out = {};  // three modes each; empty: chosen
  std::int64_t rank = 0;                 // of every mode, cut to what it can use; 0: see ranks
  std::vector<std::int64_t> ranks = {};  // R_1, R_2, R_3
  double keep = 0;  // number of weights, as a fraction of the dense layer's; 0: see rank

  friend bool operator==(const TuckerSpec&, const TuckerSpec&) = default;
};

void fields(config::Fields& f, TuckerSpec& spec);
std::optional<SpecFault> fault_of(const TuckerSpec& spec);
TuckerSpec resolved(const TuckerSpec& spec, const LinearShape& shape);
// "tucker in [8, 12, 8] out [12, 16, 16] ranks [40, 40, 40]"
std::string describe(const TuckerSpec& spec);
std::int64_t num_weights(const TuckerSpec& spec, const LinearShape& shape);
// The train that a resolved spec runs as.
TtmSpec runs_as(const TuckerSpec& spec);
// Of the train and of making its second core.
double forward_flops(const TuckerSpec& spec, const LinearShape& shape, std::int64_t tokens);
// Parameters core [R_1, R_2, R_3], factor1 [1, I_1, J_1, R_1], factor2 [R_2, I_2, J_2],
// factor3 [R_3, I_3, J_3, 1] and bias [out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const TuckerSpec& spec, Split split, const Sharing& sharing);

using TuckerRanks = std::array<std::int64_t, 3>;

// Three modes for a layer, with ranks of 1.
TtmShape tucker_modes(const std::vector<std::int64_t>& in, const std::vector<std::int64_t>& out,
                      const LinearShape& shape);
std::int64_t tucker_weights(const TtmShape& modes, const TuckerRanks& ranks);
// The same rank for every mode, cut to what it can use: n_k, and the product of the other two
// ranks.
TuckerRanks even_ranks(const TtmShape& modes, std::int64_t rank);
// The largest even ranks with at most so many weights; of 1 at least.
TuckerRanks ranks_within(const TtmShape& modes, std::int64_t weights);

}  // namespace ty
