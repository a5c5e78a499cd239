// What the programs of this folder measure with.
#pragma once

#include <algorithm>
#include <vector>

#include "core/base/stopwatch.h"

namespace ty {

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace ty
