// The sizes of a model in its config.json, by the family's table of keys.
#pragma once

#include "models/families/family.h"

namespace ty {

// Throws DataError for a size that is missing, out of its range, or stated twice.
void read_sizes(std::span<const StoredSize> keys, const JsonFields& json, ModelSpec& spec);
// Writes each size under its first spelling and removes the others.
void write_sizes(std::span<const StoredSize> keys, const ModelSpec& spec, nlohmann::json& json);
// The key under which we write a size.
const char* key_of(const Family& family, std::int64_t ModelSpec::*size);

}  // namespace ty
