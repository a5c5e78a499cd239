// What of an adapter depends on the weight that it stands beside, when it is put there.
//
//   pissa   A and B are the principal part of W, and the base keeps the rest, so that the sum is W
//           (Meng et al., arXiv 2404.02948):  U S V = W,  A = U_r sqrt(S_r / s), B = sqrt(S_r / s)
//           V_r
//   dora    the lengths m are those of W's columns
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/linalg/matrix.h"
#include "models/linear/lora/lora.h"

namespace ty {

// Whether an adapter of this kind must be told the weight.
bool depends_on_weight(const LoraOptions& options);

// Why such a start cannot be made beside that base; "" if it can: what is left of a dense matrix is
// dense, what is left of an svd layer has so much smaller a rank; a layer that is no matrix has
// nothing to start from.
std::string obstacle_to_start(const LoraSpec& spec);

// The first values, row-major, of those parameters of the layer that depend on its weight w [in,
// out], by their names within it ("weight", "lora.a"). Throws NonFiniteError if w is not finite.
std::map<std::string, std::vector<double>> adapter_start(const LoraSpec& spec,
                                                         const LinearShape& shape, const Matrix& w);

}  // namespace ty
