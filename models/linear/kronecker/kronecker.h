// The kronecker kind: W is a sum of R Kronecker products (Van Loan and Pitsianis, "Approximation
// with Kronecker Products", 1993; KnGPT2, arXiv 2110.08152; Shapeshifter, NeurIPS 2021).
//
//   W = sum_k A_k (x) B_k,  A_k [m1, n1], B_k [m2, n2]:  W[i1 m2 + i2, j1 n2 + j2] = A_k[i1, j1]
//   B_k[i2, j2]
//
// That is a tensor train matrix of two cores, core1[0, i1, j1, k] = A_k[i1, j1] and core2[k, i2,
// j2, 0] = B_k[i2, j2], and runs as one: its plans, its gradients and its way to be shared by
// ranks.
#pragma once

#include <vector>

#include "models/linear/ttm/ttm.h"

namespace ty {

struct KroneckerSpec {
  static constexpr std::string_view kKind = "kronecker";

  std::vector<std::int64_t> in = {}, out = {};  // [m1, m2] and [n1, n2]; empty: chosen
  std::int64_t terms = 0;                       // R; 0: see keep
  double keep = 0;  // number of weights, as a fraction of the dense layer's; 0: see terms
  FactorInit init = FactorInit::normal;

  friend bool operator==(const KroneckerSpec&, const KroneckerSpec&) = default;
};

void fields(config::Fields& f, KroneckerSpec& spec);
std::optional<SpecFault> fault_of(const KroneckerSpec& spec);
KroneckerSpec resolved(const KroneckerSpec& spec, const LinearShape& shape);
// "kronecker 3 x [16, 96] (x) [48, 32]"
std::string describe(const KroneckerSpec& spec);
std::int64_t num_weights(const KroneckerSpec& spec, const LinearShape& shape);
// The tensor train that a resolved spec is.
TtmSpec runs_as(const KroneckerSpec& spec);
// Parameters core1 [1, m1, n1, R], core2 [R, m2, n2, 1] and bias [out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const KroneckerSpec& spec, Split split, const Sharing& sharing);

// Sizes of the factors for a layer that states none: A_k and B_k have as equal numbers of entries
// as the divisors of `in` and `out` allow, so that a term has the fewest (Shapeshifter); among
// those, A_k has the shape nearest to the layer's own.
//   768 x 3072: [16, 96] (x) [48, 32], 3072 weights a term
KroneckerSpec with_chosen_sizes(KroneckerSpec spec, const LinearShape& shape);

// Weights of one term, and the most terms that can make a difference (with them, any W).
std::int64_t weights_of_term(const KroneckerSpec& spec);
std::int64_t most_terms(const KroneckerSpec& spec);

}  // namespace ty
