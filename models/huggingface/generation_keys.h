// The ids that a model directory prescribes for texts that its model writes.
#pragma once

#include <cstdint>
#include <optional>

#include "core/io/file.h"
#include "models/transformer/spec.h"

namespace ty {

struct GenerationKeys {
  std::optional<std::int32_t> decoder_start;              // what a decoder reads first
  std::optional<std::int32_t> forced_first, forced_last;  // as TextIds has them
};

// From generation_config.json or, where there is none, config.json, as the public library reads
// them. Throws DataError that names file and key for ids outside of the model's vocabulary, and for
// lists of more than one.
GenerationKeys read_generation_keys(const Path& directory, const ModelSpec& spec);

}  // namespace ty
