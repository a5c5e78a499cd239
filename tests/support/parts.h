// What a rank holds of a whole parameter.
#pragma once

#include <vector>

#include "core/nn/parameter.h"

namespace ty::test {

// The numbers of a rank's part, from those of the whole.
inline std::vector<double> part_of(const std::vector<double>& whole, const Parameter& parameter) {
  const SliceRows rows = rows_of(parameter.shape, parameter.placement.slice);
  std::vector<double> part;
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    const auto first = whole.begin() + rows.first + r * rows.step;
    part.insert(part.end(), first, first + rows.columns);
  }
  return part;
}

}  // namespace ty::test
