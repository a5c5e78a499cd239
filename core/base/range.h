// A range of elements.
#pragma once

#include <cstdint>

namespace ty {

struct Range {
  std::int64_t first = 0;
  std::int64_t count = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

}  // namespace ty
