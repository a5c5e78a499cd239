// Adapters of the public `peft` library, read beside the model that they are for.
#pragma once

#include "models/huggingface/conversion.h"

namespace ty {

// The model with the adapters of a directory: linear layers of blocks become lora layers around
// what they are made of, and parameters that the directory holds whole replace the model's. A head
// of labels that the model has not comes with them. Where parts of a fused layer have other ranks
// or factors than each other, or we know no parts of it, one adapter of all their ranks stands
// beside the whole, with zeros in B. Keeps a reference to `base`. Throws DataError that names file
// and tensor for what has no place in the model, and NonFiniteError.
Conversion with_peft_adapters(const StoredModel& base, const Path& directory);

}  // namespace ty
