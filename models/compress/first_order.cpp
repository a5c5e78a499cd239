#include "models/compress/first_order.h"

#include <algorithm>

#include "core/backend/backend.h"
#include "core/base/error.h"

namespace ty {

namespace {

// `values` where a score is among those that the layer keeps, 0 elsewhere.
Matrix kept_of(const PrunedSpec& spec, const Matrix& values, const std::vector<double>& scores) {
  Matrix kept = values;
  std::vector<double> own = scores;
  const Shape shape = {values.rows, values.cols};
  const View to = contiguous_view(kept.data.data(), DType::f64, shape);
  make_cpu_backend()->keep_largest(
      to, to, contiguous_view(own.data(), DType::f64, shape),
      kept_entries(spec.keep, {.in = values.rows, .out = values.cols}));
  return kept;
}

PrunedSpec spec_of(const LinearShape& size, const DecompositionRequest& request) {
  const auto* share = std::get_if<ShareBudget>(&request.budget);
  if (share == nullptr) throw ConfigError("first_order: want --keep, the share that remains");
  const PrunedSpec spec = {
      .keep = share->share, .begin = request.steps / 10, .end = request.steps * 7 / 10};
  if (const auto fault = fault_of(spec)) throw ConfigError("{}: {}", fault->key, fault->message);
  return resolved(spec, size);
}

}  // namespace

void check_first_order(const LinearShape& size, const DecompositionRequest& request) {
  spec_of(size, request);
}

Decomposition decompose_first_order(const Matrix& w, const DecompositionRequest& request,
                                    const LayerStatistics&) {
  require_finite(w, "first_order");
  Decomposition result;
  const PrunedSpec spec = spec_of({.in = w.rows, .out = w.cols}, request);
  result.spec = spec;
  result.factors["weight"] = w.data;
  result.factors["scores"] = first_scores(w.data);
  result.error = frobenius_norm(subtract(kept_of(spec, w, result.factors["scores"]), w));
  return result;
}

Matrix gains(const PrunedSpec& spec, const std::vector<double>& scores, const LinearShape& shape) {
  Matrix above(shape.in, shape.out, scores);
  require_finite(above, "scores");
  for (double& score : above.data) score = std::max(score, 0.0);
  return kept_of(spec, above, scores);
}

}  // namespace ty
