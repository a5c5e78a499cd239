// A matrix as an orthonormal basis times a remaining factor: one step of a tensor-train sweep.
#pragma once

#include "core/linalg/svd.h"

namespace ty {

// a [m, n] ~ basis [m, r] rest [r, n]: basis holds leading left singular vectors, rest = basis^T a.
struct RangeSplit {
  Matrix basis, rest;
  double discarded_energy = 0.0;  // |a - basis rest|^2
};

// automatic: randomized for a small rank of a large matrix, where it is ten times cheaper and its
// error exceeds the best one by a few per cent at worst (for a flat spectrum); exact otherwise.
enum class SvdMethod : std::uint8_t { automatic, exact, randomized };

// Keeps as many singular vectors as the rule says. A bound on energy is always met exactly, with
// any method.
RangeSplit split(const Matrix& a, const TruncationRule& rule,
                 SvdMethod method = SvdMethod::automatic);

}  // namespace ty
