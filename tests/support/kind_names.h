// The kinds of linear layers as messages list them.
#pragma once

#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "models/linear/kinds.h"

namespace ty::test {

// "dense, ttm, svd, .."
inline std::string kind_names() {
  std::vector<std::string_view> names;
  for (const LinearSpec& kind : linear_kinds()) names.push_back(kind_name(kind));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace ty::test
