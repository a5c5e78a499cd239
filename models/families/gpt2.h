// GPT-2 (Radford et al., 2019) as the public `transformers` library stores it.
//
// Both store linear weights as [in, out]. Differences: fused projections are q | k | v there and
// head by head here; an untied head is [out, in] there.
#pragma once

#include "models/families/family.h"

namespace ty {

Family gpt2_family();

}  // namespace ty
