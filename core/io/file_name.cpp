#include "core/io/file_name.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/io/json.h"

namespace ty {

void check_file_name(std::string_view name, const std::string& place) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 200 || name.front() == '.' ||
      !std::all_of(name.begin(), name.end(), plain)) {
    throw DataError(
        "{}: file name {} is not allowed; want letters, digits, '.', '_', '-', not '.' first",
        place, in_quotes(name));
  }
}

}  // namespace ty
