// BERT (Devlin et al., arXiv 1810.04805) as the public `transformers` library stores it.
#pragma once

#include "models/families/family.h"

namespace ty {

Family bert_family();

}  // namespace ty
