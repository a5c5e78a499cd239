// A sample text that shows what a model in training has learned.
#pragma once

#include <string>

#include "core/backend/backend.h"
#include "launch/run/dataset.h"
#include "models/transformer/model.h"

namespace ty {

// Continues the first tokens of the validation text, or of the training text without one; `dataset`
// must have a tokenizer. A collective call of the pipeline that shares the model.
std::string sample_text(const Model& model, Backend& backend, std::int64_t context,
                        const Dataset& dataset, std::uint64_t seed, const Group& pipeline = {});

}  // namespace ty
