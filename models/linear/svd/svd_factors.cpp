#include "models/linear/svd/svd_factors.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"

namespace ty {

SvdFactors svd_factors(const Matrix& w, const TruncationRule& rule) {
  TruncatedSvd cut = truncated_svd(w, rule);
  std::vector<double> roots = std::move(cut.factors.sigma);
  for (double& value : roots) value = std::sqrt(value);
  SvdFactors factors = {std::move(cut.factors.u), std::move(cut.factors.vt),
                        std::sqrt(cut.discarded_energy)};
  scale_columns(factors.a, roots);
  scale_rows(factors.b, roots);
  return factors;
}

DiscardEnergy within_relative(const Matrix& w, double eps) {
  if (!(eps >= 0.0)) throw ConfigError("svd: tolerance {} is below 0", eps);
  return {eps * eps * energy(w)};
}

std::int64_t svd_parameters(std::int64_t in, std::int64_t out, std::int64_t rank) {
  return rank * (in + out);
}

std::int64_t break_even_rank(std::int64_t in, std::int64_t out) { return in * out / (in + out); }

}  // namespace ty
