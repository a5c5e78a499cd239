// Steps of two factors that bound the step of their product (Spectron, arXiv 2602.12429).
//
// A step of A and of B by AdamW says nothing of how far W = A B moves: that grows with the other
// factor. Here each factor moves along its momentum with all singular values made about 1,
//
//   A <- A - s O(M_A),   B <- B - s O(M_B),   s = rate / (|A| + |B| + 1),   |.| spectral norms
//
// so that |dW| <= s (|A| + |B|) + s^2 <= rate, for rates up to 1 and as far as O's singular values
// are 1. O is the Newton-Schulz iteration of Muon (Jordan et al., 2024): five steps, after which
// they lie between about 0.7 and 1.2. Norms are taken a little too large, by at most the 16th root
// of the rank: with G = A^T A the 16th root of |G^4|^2, the sum of the singular values' 16th
// powers.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/nn/parameter.h"

namespace ty {

// Whether a parameter is one of two factors, both matrices, whose product is a weight.
bool is_factor_of_pair(const Parameter& parameter);

class BoundedSteps {
 public:
  using IsBounded = std::function<bool(const Parameter&)>;

  // For the pairs of a store with memory with a factor that is bounded.
  BoundedSteps(const ParameterStore& store, const IsBounded& is_bounded);

  // Takes the norms of the factors as the model reads them.
  void begin_step();
  // O(momentum) / (|A| + |B| + 1) for a factor, of its shape; momentum has its elements, in fp32 or
  // fp64.
  Tensor direction(std::size_t parameter, const View& momentum) const;

 private:
  // Which pair a factor belongs to.
  std::size_t pair_of(std::size_t parameter) const;

  const ParameterStore* store_;
  std::vector<std::size_t> firsts_;  // A of each pair; B is the next parameter
  Tensor powers_;                    // [pairs, 2] fp64: sums of 16th powers of singular values
};

}  // namespace ty
