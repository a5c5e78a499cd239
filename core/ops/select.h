// What is chosen among the entries of a weight.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// w where its score is among the `kept` largest, 0 elsewhere (Backend::keep_largest). Gradients go
// straight through: w gets dy whole, what is cut as well, and a score gets dy times its weight, as
// if it were a factor of that (movement pruning: Sanh et al., arXiv 2005.07683).
Tensor keep_largest(const Tensor& w, const Tensor& scores, std::int64_t kept);

}  // namespace ty
