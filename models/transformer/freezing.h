// Which parameters of a model are trained: all but those whose names match a pattern.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "models/transformer/block.h"

namespace ty {

// Parameters whose names match one of the patterns (core/base/glob.h) get no gradient and no
// optimizer state. To be called before they have memory.
void freeze(ParameterStore& store, const std::vector<std::string>& patterns);

// The first block of a description that has a parameter that is trained; its size if none has.
// `whole`: the parameters of all blocks.
std::size_t first_trained_block(const ModelDescription& description, const ParameterStore& whole);

}  // namespace ty
