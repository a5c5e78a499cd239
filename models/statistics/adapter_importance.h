// How much each row and each column of a weight matters, told by the adapter beside it alone
// (LoRAPrune: Zhang et al., arXiv 2305.18403): no gradient of the weight is needed, nor is a matrix
// of its size kept.
//
//   g = dA B + A dB - dA dB      what a step down the gradients of A and B takes off the product A
//   B importance (g . V)^2         V = W + s A B, products of entries
//
// dA and dB are gradients of factors whose product counts once: those that training has, over s.
// Then g does not depend on s; with B = 0 and A A^T = 1 it is the gradient of W.
#pragma once

#include <span>

#include "models/linear/lora/lora_factors.h"
#include "models/statistics/sums.h"

namespace ty {

// Sums of importances, fp64: of each row of the weight [in], of each column [out].
struct ImportanceSums {
  View rows, columns;
};

// Adds the importances of terms, whose gradients are those of rows of x [N, in] and dy [N, out],
// for the factors that stand beside a weight and V [in, out]; all of one type.
void add_adapter_importance(Backend& backend, const ImportanceSums& sums, const View& x,
                            const View& dy, const LoraFactors& factors, const View& whole,
                            std::span<const GradientTerm> terms);

}  // namespace ty
