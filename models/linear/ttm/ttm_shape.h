// The shape of a tensor train matrix (TTM): W [prod I, prod J] as N cores (R_{k-1}, I_k, J_k, R_k).
//
// A row index of W is a mixed-radix number with digits (i_1 .. i_N), the first most significant; a
// column index likewise in (j_1 .. j_N). W[i, j] is the product of the N small matrices G_k[:, i_k,
// j_k, :]. A layer may have fewer features than the product of the modes; W is then padded with
// zeros. This file contains arithmetic only. Cores are numbered from 0 in code and from 1 in
// formulas.
//
//   in (2, 3), out (4, 5): W is [6, 20]; row 4 has the digits (1, 1), column 13 the digits (2, 3);
//   W[4, 13] = G_1[:, 1, 2, :] G_2[:, 1, 3, :], a row [1, R_1] times a column [R_1, 1]
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/shape.h"

namespace ty {

// A state of a chain has two dimensions per core.
inline constexpr int kMostCores = Dims::kMaxRank / 2;

struct TtmShape {
  std::vector<std::int64_t> in;     // I_1 .. I_N
  std::vector<std::int64_t> out;    // J_1 .. J_N
  std::vector<std::int64_t> ranks;  // R_0 .. R_N with R_0 = R_N = 1

  int num_cores() const { return static_cast<int>(in.size()); }
  // I_k J_k of core k.
  std::int64_t mode(int k) const;
  // (R_{k-1}, I_k, J_k, R_k) of core k.
  std::array<std::int64_t, 4> core_shape(int k) const;
  std::int64_t core_size(int k) const;
  // Entries of all cores.
  std::int64_t num_parameters() const;
  // Products of the modes: the sizes of W with its padding.
  std::int64_t padded_in() const;
  std::int64_t padded_out() const;

  friend bool operator==(const TtmShape&, const TtmShape&) = default;
};

// The shape of W^T: input and output modes exchanged.
TtmShape transposed(const TtmShape& shape);

// Whether ranks may exceed their caps. A larger rank adds parameters, but represents no further
// matrix.
enum class RankCap : std::uint8_t { ignore, require };

// Throws ConfigError that names the violated rule and both values unless there is one mode pair per
// core, at most kMostCores of them, N + 1 ranks of at least 1 with 1 at both ends, and modes whose
// products cover in x out features.
void validate(const TtmShape& shape, std::int64_t in_features, std::int64_t out_features,
              RankCap cap = RankCap::ignore);

// The shape of these modes with inner ranks R_1 .. R_{N-1}, or with one rank for all bonds.
TtmShape with_ranks(std::vector<std::int64_t> in, std::vector<std::int64_t> out,
                    std::span<const std::int64_t> inner_ranks);
TtmShape with_rank(std::vector<std::int64_t> in, std::vector<std::int64_t> out, std::int64_t rank);

// The largest useful values of R_0 .. R_N: R_k <= n_1 .. n_k and R_k <= n_{k+1} .. n_N, where n_k =
// I_k J_k.
std::vector<std::int64_t> rank_caps(const TtmShape& shape);
// Ranks clipped to their caps and to what the cores on their left support, R_k <= R_{k-1} n_k: the
// ranks that a TT-SVD with these targets yields.
TtmShape clip_ranks(TtmShape shape);

// The largest uniform rank whose cores have at most `budget` parameters, caps aside; throws
// ConfigError if even rank 1 exceeds it. The ranks of `modes` are ignored.
std::int64_t rank_for_budget(const TtmShape& modes, std::int64_t budget);

// "in [16, 16, 4] out [16, 16, 16] ranks [72, 72]"
std::string to_string(const TtmShape& shape);

}  // namespace ty
