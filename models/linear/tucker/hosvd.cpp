#include "models/linear/tucker/hosvd.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "core/linalg/qr.h"
#include "models/linear/ttm/tt_sweep.h"
#include "models/linear/ttm/unfold.h"

namespace ty {

namespace {

using RuleOfMode = std::function<TruncationRule(std::size_t mode)>;

// a^T a's leading eigenvectors are a's right ones; of a wide matrix only its square factor is
// needed.
Matrix leading_left(const Matrix& a, const TruncationRule& rule) {
  return truncated_svd(a.cols > a.rows ? lq_factor(a) : a, rule).factors.u;
}

TuckerFit fit(const Matrix& w, const TtmShape& modes, const RuleOfMode& rule) {
  require_finite(w, "hosvd");
  std::vector<std::int64_t> sizes;
  for (int k = 0; k < modes.num_cores(); ++k) sizes.push_back(modes.mode(k));
  const Matrix tensor = interleave(w, modes);
  TuckerFit result;
  std::vector<double> core = tensor.data;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    result.factors.push_back(leading_left(unfold(tensor.data, sizes, k), rule(k)));
    result.ranks[k] = result.factors[k].cols;
  }
  // The core is W projected onto the factors, mode by mode.
  for (std::size_t k = 0; k < result.factors.size(); ++k) {
    const Matrix projected = multiply_transposed(result.factors[k], unfold(core, sizes, k));
    sizes[k] = projected.rows;
    core = fold(projected, sizes, k);
  }
  // What is lost, and not |W|^2 - |C|^2, of which rounding would leave too little.
  std::vector<double> rest = core;
  for (std::size_t k = 0; k < result.factors.size(); ++k) {
    const Matrix grown = multiply(result.factors[k], unfold(rest, sizes, k));
    sizes[k] = grown.rows;
    rest = fold(grown, sizes, k);
  }
  result.error =
      frobenius_norm(subtract(Matrix(tensor.rows, tensor.cols, std::move(rest)), tensor));
  result.core = std::move(core);
  return result;
}

}  // namespace

TuckerFit hosvd(const Matrix& w, const TtmShape& modes, const TuckerRanks& ranks) {
  return fit(w, modes, [&](std::size_t k) { return KeepRank{ranks[k]}; });
}

TuckerFit hosvd_within(const Matrix& w, const TtmShape& modes, double eps) {
  const double bound = eps * eps * energy(w) / static_cast<double>(modes.num_cores());
  return fit(w, modes, [&](std::size_t) { return DiscardEnergy{bound}; });
}

}  // namespace ty
