#include "core/linalg/spectrum.h"

#include <algorithm>
#include <limits>

#include "core/linalg/svd.h"

namespace ty {

Spectrum spectrum_of(const Matrix& w) {
  Spectrum result;
  result.sigma = singular_values(w);
  for (auto value = result.sigma.rbegin(); value != result.sigma.rend(); ++value) {
    result.energy += *value * *value;  // small squares first
  }
  if (w.data.empty()) return result;
  const double largest = result.sigma.front();
  double kept = 0;
  constexpr double kShare = 0.9;
  for (const double value : result.sigma) {
    if (kept >= kShare * result.energy) break;
    kept += value * value;
    ++result.rank_90;
  }
  result.stable_rank = largest > 0 ? result.energy / (largest * largest) : 0;
  const double noise = largest * static_cast<double>(std::max(w.rows, w.cols)) *
                       static_cast<double>(std::numeric_limits<float>::epsilon());
  result.numerical_rank = std::count_if(result.sigma.begin(), result.sigma.end(),
                                        [&](double value) { return value > noise; });
  const auto count = static_cast<double>(w.data.size());
  for (const double value : w.data) result.mean += value / count;
  for (const double value : w.data) {
    result.variance += (value - result.mean) * (value - result.mean) / count;
  }
  result.sparsity = static_cast<double>(std::count(w.data.begin(), w.data.end(), 0.0)) / count;
  return result;
}

}  // namespace ty
