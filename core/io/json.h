// JSON from files that may be damaged or hostile: every input has exactly one meaning, or is an
// error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ty {

// Parses a whole text; refuses repeated keys, more than 32 levels, invalid UTF-8 and trailing text.
// The message of the DataError begins with `place` (a file name).
nlohmann::json parse_json(std::string_view text, const std::string& place);

// A name from a file, quoted for a one-line message: control characters are escaped, long names
// shortened.
std::string in_quotes(std::string_view name);

}  // namespace ty
