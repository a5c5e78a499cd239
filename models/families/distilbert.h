// DistilBERT (Sanh et al., arXiv 1910.01108) as the public `transformers` library stores it.
#pragma once

#include "models/families/family.h"

namespace ty {

Family distilbert_family();

}  // namespace ty
