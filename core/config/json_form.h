// A config struct as a JSON object and back, by its field list: for machine-written files.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/config/fields.h"

namespace ty::config {

// A leaf's value: a list, a scalar, or its empty word.
nlohmann::ordered_json leaf_json(const Leaf& leaf);

// The active keys that are required or differ from `defaults`, a value of the same type; nested
// structs are written in full.
nlohmann::json to_json(const Section& section, const Section& defaults);

// Reads an object as strictly as a job file. `prefix` (dotted) is put before the keys in errors.
// Throws DataError that names `file`, with a line for each key that is wrong.
void from_json(const nlohmann::json& object, const Section& section, const std::string& file,
               const std::string& prefix);

}  // namespace ty::config
