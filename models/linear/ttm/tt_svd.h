// Tensor train matrices: decomposition of a matrix, reconstruction, and rounding to lower ranks.
//
// Oseledets, "Tensor-Train Decomposition", SIAM J. Sci. Comput. 33(5), 2011, on the tensor with one
// axis (i_k, j_k) per core. On the host, in double; nothing here is differentiable.
//
// For three cores, with W as the tensor [n_1, n_2, n_3], n_k = I_k J_k:
//   [n_1, n_2 n_3]    ~ U_1 rest_1     core 1 = U_1 [1, I_1, J_1, R_1], the leading left vectors
//   [R_1 n_2, n_3]    ~ U_2 rest_2     core 2 = U_2 [R_1, I_2, J_2, R_2]; the left side is rest_1
//                                      core 3 = rest_2 [R_2, I_3, J_3, 1]
// Errors of the cuts are orthogonal: |W - W~|^2 is the sum of what the cuts discard.
#pragma once

#include <variant>
#include <vector>

#include "core/linalg/split.h"
#include "models/linear/ttm/ttm_shape.h"

namespace ty {

struct TtCores {
  TtmShape shape;
  std::vector<std::vector<double>> cores;  // core k: (R_{k-1}, I_k, J_k, R_k), row-major
};

// What determines the rank of each bond.
struct UniformRank {
  std::int64_t rank;  // of every bond, clipped to what the bond can use
};
struct BondRanks {
  std::vector<std::int64_t> ranks;  // R_1 .. R_{N-1}, each clipped likewise
};
struct RelativeTolerance {
  double eps;  // |W - W~| <= eps |W|, with the fewest singular values per bond
};
using TtRule = std::variant<UniformRank, BondRanks, RelativeTolerance>;

struct TtApproximation {
  TtCores train;
  double error = 0.0;  // |W - W~| with the padding, from the discarded singular values
};

// Decomposes W [in features, out features], padded with zeros to the products of the modes. All
// cores but the last have orthonormal columns. Throws ConfigError for modes or ranks that do not
// fit, and NonFiniteError for entries that are not finite.
TtApproximation tt_svd(const Matrix& w, std::vector<std::int64_t> in, std::vector<std::int64_t> out,
                       const TtRule& rule, SvdMethod method = SvdMethod::automatic);

// A train of lower ranks whose error is within a factor sqrt(N - 1) of the best, without forming W.
TtApproximation tt_round(TtCores train, const TtRule& rule);

// W with its padding: [prod I, prod J].
Matrix reconstruct(const TtCores& train);

}  // namespace ty
