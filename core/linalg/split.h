// A matrix as an orthonormal basis times what is left of it: the step of tensor train sweeps.
#pragma once

#include "core/linalg/svd.h"

namespace ty {

// a [m, n] ~ basis [m, r] rest [r, n]: basis holds leading left singular vectors, rest = basis^T a.
struct RangeSplit {
  Matrix basis, rest;
  double discarded_energy = 0.0;  // |a - basis rest|^2
};

// automatic: randomized for a small rank of a large matrix, where it is ten times cheaper and loses
// a few per cent of the best error at worst (a flat spectrum); exact otherwise.
enum class SvdMethod : std::uint8_t { automatic, exact, randomized };

// Keeps as much as the rule says. A bound on energy is always met exactly, whatever the method.
RangeSplit split(const Matrix& a, const TruncationRule& rule,
                 SvdMethod method = SvdMethod::automatic);

}  // namespace ty
