// JSON from files that may be damaged or hostile: one reading of every input, or an error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ty {

// Parses a whole text; refuses repeated keys, more than 32 levels, invalid UTF-8 and trailing text.
// `place` (a file name) opens the DataError's message.
nlohmann::json parse_json(std::string_view text, const std::string& place);

// A name from a file, quoted for a one-line message: control characters escaped, long ones cut.
std::string in_quotes(std::string_view name);

}  // namespace ty
