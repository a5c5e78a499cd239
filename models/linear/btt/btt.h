// The btt kind: a block tensor train of two cores (Qiu et al., "Compute Better Spent", arXiv
// 2406.06248), of which Monarch matrices (Dao et al., arXiv 2204.00595) are those of rank 1.
//
//   W[i1 m2 + i2, j1 n2 + j2] = sum_r A[i2][i1, (j1, r)] B[j1][(i2, r), j2]
//
// A tensor train matrix of two cores would use one A for all i2 and one B for all j1. So each of
// the m2 n1 blocks W[:, i2, j1, :], a matrix [m1, n2], has a rank-r factorisation of its own: W has
// full rank long before it has as many weights as a dense one, and the nearest W~ is known (the SVD
// of every block). Products are of matrices [T, m1] and [T, m2 r] as a library likes them.
#pragma once

#include <vector>

#include "models/linear/base/factors.h"

namespace ty {

struct BttSpec {
  static constexpr std::string_view kKind = "btt";

  std::vector<std::int64_t> in = {}, out = {};  // [m1, m2] and [n1, n2]; empty: chosen
  std::int64_t rank = 0;                        // of each block; 0: see keep
  double keep = 0;                              // weights, as a share of the dense layer's

  friend bool operator==(const BttSpec&, const BttSpec&) = default;
};

void fields(config::Fields& f, BttSpec& spec);
std::optional<SpecFault> fault_of(const BttSpec& spec);
BttSpec resolved(const BttSpec& spec, const LinearShape& shape);
// "btt rank 8 of blocks [32, 64], 24 x 48 of them"
std::string describe(const BttSpec& spec);
std::int64_t num_weights(const BttSpec& spec, const LinearShape& shape);
double forward_flops(const BttSpec& spec, const LinearShape& shape, std::int64_t tokens);
// Parameters a [m2, m1, n1 r], b [n1, m2 r, n2] and bias [out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const BttSpec& spec, Split split, const Sharing& sharing);

// Sizes for a layer that states none: m2 and n1 are the largest divisors of `in` and `out` that are
// no more than their roots, so that blocks are as square as can be and reach full rank.
//   768 x 3072: in [32, 24], out [48, 64]; a rank has 110,592 weights
BttSpec with_chosen_sizes(BttSpec spec, const LinearShape& shape);

// Weights of one rank, and the most ranks that can make a difference (with them, any W).
std::int64_t weights_of_rank(const BttSpec& spec);
std::int64_t most_ranks(const BttSpec& spec);

}  // namespace ty
