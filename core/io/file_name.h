// File names that were read from other files (manifests, indexes): plain names, never paths.
#pragma once

#include <string>
#include <string_view>

namespace ty {

// Throws DataError unless `name` is 1 to 200 letters, digits, '.', '_' or '-' and does not begin
// with '.', so that it stays inside its directory. The message begins with `place`.
void check_file_name(std::string_view name, const std::string& place);

}  // namespace ty
