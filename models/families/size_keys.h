// The sizes of a model in its config.json, by the family's table of keys.
#pragma once

#include <limits>

#include "models/families/family.h"

namespace ty {

// Throws DataError for a size that is missing, out of its range, or stated twice.
void read_sizes(std::span<const StoredSize> keys, const JsonFields& json, ModelSpec& spec);
// Writes each size under its first spelling and removes the others. An inner width of 0 (four times
// the width) is written as null where the key may be missing, else as what it stands for.
void write_sizes(std::span<const StoredSize> keys, const ModelSpec& spec, nlohmann::json& json);
// The key under which we write a size; null if the family has none.
const char* key_of(const Family& family, std::int64_t ModelSpec::*size);

// Limits of sizes that no model comes near.
inline constexpr std::int64_t kMostWidth = std::int64_t{1} << 20;
inline constexpr std::int64_t kMostRows = std::numeric_limits<std::int32_t>::max();

}  // namespace ty
