// A tensor train matrix beside another layer's weight (TT-LoRA: Anjum et al., arXiv 2408.01008):
//
//   y = x W + b + s dropout(x) T      T [in, out] a tensor train of cores with bonds of rank r
//
// The last core is zero at the start, so that T is.
#pragma once

#include "models/linear/lora/lora.h"
#include "models/linear/ttm/ttm.h"

namespace ty {

// T of an adapter with cores, with all sizes chosen for a layer.
TtmSpec train_beside(const LoraOptions& options, const LinearShape& shape);

// Parameters of W, and lora.core1, lora.core2, ..
std::unique_ptr<Linear> make_tt_lora(const Scope& scope, const LinearShape& shape,
                                     const LoraSpec& spec, Split split, const Sharing& sharing);

}  // namespace ty
