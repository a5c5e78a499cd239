#include "models/compress/importance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ty {

std::vector<double> importances(std::vector<double> sums, double floor) {
  for (double& value : sums) value = std::sqrt(value);
  const double mean = std::accumulate(sums.begin(), sums.end(), 0.0) /
                      std::max(1.0, static_cast<double>(sums.size()));
  for (double& value : sums) value += floor * mean;
  // Without a floor, what has no importance gets the least there is.
  double least = 0;
  for (const double value : sums) {
    if (value > 0 && (least == 0 || value < least)) least = value;
  }
  for (double& value : sums) value = value > 0 ? value : least > 0 ? least : 1.0;
  return sums;
}

std::vector<double> row_sums(const Matrix& a) {
  std::vector<double> sums(static_cast<std::size_t>(a.rows));
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.cols; ++j) sums[static_cast<std::size_t>(i)] += a(i, j);
  }
  return sums;
}

std::vector<double> column_sums(const Matrix& a) {
  std::vector<double> sums(static_cast<std::size_t>(a.cols));
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.cols; ++j) sums[static_cast<std::size_t>(j)] += a(i, j);
  }
  return sums;
}

std::vector<double> inverses(std::vector<double> values) {
  for (double& value : values) value = 1 / value;
  return values;
}

}  // namespace ty
