// Sizes of a model in its config.json, by a family's table of keys.
#pragma once

#include "models/families/family.h"

namespace ty {

// Throws DataError for a size that is missing, out of its range, or stated twice.
void read_sizes(std::span<const StoredSize> keys, const JsonFields& json, ModelSpec& spec);
// In the first spelling of each; the others are removed.
void write_sizes(std::span<const StoredSize> keys, const ModelSpec& spec, nlohmann::json& json);
// What we call the key of a size.
const char* key_of(const Family& family, std::int64_t ModelSpec::*size);

}  // namespace ty
