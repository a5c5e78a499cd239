// OPT (Zhang et al., arXiv 2205.01068) as the public `transformers` library stores it.
#pragma once

#include "models/families/family.h"

namespace ty {

Family opt_family();

}  // namespace ty
