#include <algorithm>
#include <nlohmann/json.hpp>

#include "launch/bench/bench.h"

namespace ty::bench {

Spread spread_of(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return {x[x.size() / 2], x.front(), x.back()};
}

nlohmann::json to_json(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
}

}  // namespace ty::bench
