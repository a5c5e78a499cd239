// A matrix as a tensor train matrix: decomposition, its reverse, and rounding to lower ranks.
//
// Oseledets, "Tensor-Train Decomposition", SIAM J. Sci. Comput. 33(5), 2011, on the tensor with one
// axis (i_k, j_k) per core. On the host, in double; nothing here is differentiable.
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

// What decides the rank of each bond.
struct UniformRank {
  std::int64_t rank;  // of every bond, clipped to what the bond can use
};
struct BondRanks {
  std::vector<std::int64_t> ranks;  // R_1 .. R_{N-1}, each clipped likewise
};
struct RelativeTolerance {
  double eps;  // |W - W~| <= eps |W|, the fewest singular values per bond that keep to it
};
using TtRule = std::variant<UniformRank, BondRanks, RelativeTolerance>;

struct TtApproximation {
  TtCores train;
  double error = 0.0;  // |W - W~| with the padding, from the discarded singular values
};

// W [in features, out features], padded with zeros to the products of the modes. All cores but the
// last have orthonormal columns. Throws ConfigError for modes or ranks that do not fit and
// NonFiniteError for such entries.
TtApproximation tt_svd(const Matrix& w, std::vector<std::int64_t> in, std::vector<std::int64_t> out,
                       const TtRule& rule, SvdMethod method = SvdMethod::automatic);

// The nearest train of lower ranks, up to sqrt(N - 1), without forming W.
TtApproximation tt_round(TtCores train, const TtRule& rule);

// W with its padding: [prod I, prod J].
Matrix reconstruct(const TtCores& train);

}  // namespace ty
