#include "models/linear/low_rank.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"

namespace ty {

LowRank low_rank(const Matrix& w, const TruncationRule& rule) {
  TruncatedSvd cut = truncated_svd(w, rule);
  std::vector<double> roots = std::move(cut.factors.sigma);
  for (double& value : roots) value = std::sqrt(value);
  LowRank factors = {std::move(cut.factors.u), std::move(cut.factors.vt),
                     std::sqrt(cut.discarded_energy)};
  scale_columns(factors.a, roots);
  scale_rows(factors.b, roots);
  return factors;
}

DiscardEnergy within_relative(const Matrix& w, double eps) {
  if (!(eps >= 0.0)) throw ConfigError("low rank: tolerance {} is below 0", eps);
  return {eps * eps * energy(w)};
}

std::int64_t low_rank_parameters(std::int64_t in, std::int64_t out, std::int64_t rank) {
  return rank * (in + out);
}

std::int64_t break_even_rank(std::int64_t in, std::int64_t out) { return in * out / (in + out); }

}  // namespace ty
