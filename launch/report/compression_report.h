// The report of a compression, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/compress/compression.h"

namespace ty {

// One row per layer and the totals.
std::string to_text(const Compression& compression);
nlohmann::json to_json(const Compression& compression);

}  // namespace ty
