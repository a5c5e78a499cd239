#include "launch/bench/bench.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"

namespace ty::bench {

std::int64_t count_of(const Arguments& arguments, const char* option, std::int64_t otherwise) {
  const std::int64_t count = arguments.integer(option, otherwise);
  if (count < 1) throw UsageError("{}: {}; want 1 or more", option, count);
  return count;
}

Spread spread_of(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return {x[x.size() / 2], x.front(), x.back()};
}

Spread ratios_of(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return spread_of(std::move(ratios));
}

nlohmann::json to_json(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
}

}  // namespace ty::bench
