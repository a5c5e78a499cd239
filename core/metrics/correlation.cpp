#include "core/metrics/correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.h"

namespace ty {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void check_pairs(std::span<const double> x, std::span<const double> y) {
  TY_CHECK(x.size() == y.size() && x.size() >= 2,
           "{} and {} numbers; want equally many, at least two", x.size(), y.size());
}

bool is_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [](double value) { return std::isfinite(value); });
}

bool is_constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values[0]; });
}

// The direction of the deviations from the mean: a vector of length 1. Scaled by the largest number
// first, so that no square overflows or vanishes.
std::vector<double> unit_deviations(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  std::vector<double> result(values.begin(), values.end());
  for (double& value : result) value /= largest;
  const double mean =
      std::accumulate(result.begin(), result.end(), 0.0) / static_cast<double>(result.size());
  double deviation = 0;
  for (double& value : result) {
    value -= mean;
    deviation = std::max(deviation, std::abs(value));
  }
  double squares = 0;
  for (double& value : result) {
    value /= deviation;
    squares += value * value;
  }
  for (double& value : result) value /= std::sqrt(squares);
  return result;
}

}  // namespace

double pearson(std::span<const double> x, std::span<const double> y) {
  check_pairs(x, y);
  if (!is_finite(x) || !is_finite(y)) return kNaN;
  if (is_constant(x) || is_constant(y)) return 0.0;
  const std::vector<double> dx = unit_deviations(x), dy = unit_deviations(y);
  return std::clamp(std::inner_product(dx.begin(), dx.end(), dy.begin(), 0.0), -1.0, 1.0);
}

double spearman(std::span<const double> x, std::span<const double> y) {
  check_pairs(x, y);
  if (!is_finite(x) || !is_finite(y)) return kNaN;
  return pearson(average_ranks(x), average_ranks(y));
}

std::vector<double> average_ranks(std::span<const double> values) {
  for (const double value : values) TY_CHECK(!std::isnan(value), "a NaN has no rank");
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    const double rank = static_cast<double>(first + 1 + end) / 2;  // mean of first + 1 .. end
    for (std::size_t i = first; i < end; ++i) ranks[order[i]] = rank;
  }
  return ranks;
}

}  // namespace ty
