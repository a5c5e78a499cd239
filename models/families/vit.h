// ViT (Dosovitskiy et al., arXiv 2010.11929) as the public `transformers` library stores it.
#pragma once

#include "models/families/family.h"

namespace ty {

Family vit_family();

}  // namespace ty
