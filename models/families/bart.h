// BART (Lewis et al., arXiv 1910.13461) as the public `transformers` library stores it.
#pragma once

#include "models/families/family.h"

namespace ty {

Family bart_family();

}  // namespace ty
