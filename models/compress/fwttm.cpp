#include "models/compress/fwttm.h"

#include <utility>

#include "core/base/error.h"
#include "models/compress/importance.h"
#include "models/linear/scaled/scaled.h"
#include "models/linear/ttm/tt_sweep.h"

namespace ty {

namespace {

Matrix squared(Matrix a) {
  for (double& value : a.data) value *= value;
  return a;
}

}  // namespace

TtCores weighted_tt_svd(const Matrix& w, const Matrix& weights, const TtTarget& target,
                        double floor) {
  const TtmShape modes = with_rank(target.modes.in, target.modes.out, 1);
  validate(modes, w.rows, w.cols);
  const BondRules rules(modes, target.rule);
  require_finite(w, "tt-svd");
  TtCores train = {modes, {}};
  Matrix rest = interleave(w, modes), phi = interleave(weights, modes);
  for (int k = 0; k + 1 < modes.num_cores(); ++k) {
    const std::vector<double> e = importances(row_sums(phi), floor);
    scale_rows(rest, e);
    const double whole = energy(rest);
    RangeSplit parts = split(rest, rules.at(k + 1, whole, 0.0));
    Matrix& core = parts.basis;  // [r_{k-1} n_k, r_k]
    scale_rows(core, inverses(e));
    phi = multiply_transposed(squared(core), phi);
    const std::int64_t rank = train.shape.ranks[static_cast<std::size_t>(k) + 1] = core.cols;
    train.cores.push_back(std::move(core.data));
    const std::int64_t rows = rank * modes.mode(k + 1), cols = phi.cols / modes.mode(k + 1);
    rest = reshape(std::move(parts.rest), rows, cols);
    phi = reshape(std::move(phi), rows, cols);
  }
  train.cores.push_back(std::move(rest.data));
  return train;
}

void check_fwttm(const LinearShape& size, const DecompositionRequest& request) {
  if (std::holds_alternative<ErrorBudget>(request.budget)) {
    throw ConfigError("fwttm has no bound on its error; give a rank or a share of the weights");
  }
  check_ttm(size, request);
}

Decomposition decompose_fwttm(const Matrix& w, const DecompositionRequest& request,
                              const LayerStatistics& statistics) {
  const LinearShape size = {.in = w.rows, .out = w.cols};
  check_fwttm(size, request);
  TtCores train = weighted_tt_svd(w, statistics.fisher, tt_target(size, request), request.floor);
  const double error =
      frobenius_norm(subtract(leading_block(reconstruct(train), w.rows, w.cols), w));
  return ttm_decomposition(std::move(train), error);
}

namespace {

DecompositionRequest without_scale(const LinearShape& size, DecompositionRequest request) {
  if (auto* budget = std::get_if<ShareBudget>(&request.budget)) {
    const std::int64_t weights = check_share(size, budget->share, size.in + 1) - size.in;
    budget->share = static_cast<double>(weights) /
                    (static_cast<double>(size.in) * static_cast<double>(size.out));
  }
  return request;
}

}  // namespace

void check_scaled_fwttm(const LinearShape& size, const DecompositionRequest& request) {
  check_ttm(size, without_scale(size, request));
}

Decomposition decompose_scaled_fwttm(const Matrix& w, const DecompositionRequest& request,
                                     const LayerStatistics& statistics) {
  const std::vector<double> d = importances(row_sums(statistics.fisher), request.floor);
  Matrix weighted = w;
  scale_rows(weighted, d);
  const auto [modes, rule] = tt_target({.in = w.rows, .out = w.cols},
                                       without_scale({.in = w.rows, .out = w.cols}, request));
  TtApproximation cut = tt_svd(weighted, modes.in, modes.out, rule);
  Matrix nearest = leading_block(reconstruct(cut.train), w.rows, w.cols);
  scale_rows(nearest, inverses(d));
  Decomposition result =
      ttm_decomposition(std::move(cut.train), frobenius_norm(subtract(nearest, w)));
  result.spec = ScaledSpec{result.spec};
  result.factors["scale"] = inverses(d);
  return result;
}

}  // namespace ty
