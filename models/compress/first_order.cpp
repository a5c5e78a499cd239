#include "models/compress/first_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace ty {

namespace {

// Those that Backend::keep_largest() would keep.
std::vector<bool> kept_of(const std::vector<double>& scores, double share) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto count = std::llround(share * static_cast<double>(scores.size()));
  const auto end = order.begin() + count;
  std::nth_element(order.begin(), end, order.end(), [&](std::size_t a, std::size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  std::vector<bool> kept(scores.size());
  std::for_each(order.begin(), end, [&](std::size_t i) { kept[i] = true; });
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
  const std::vector<bool> kept = kept_of(result.factors["scores"], spec.keep);
  double lost = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) lost += kept[i] ? 0 : w.data[i] * w.data[i];
  result.error = std::sqrt(lost);
  return result;
}

Matrix gains(const PrunedSpec& spec, const std::vector<double>& scores, const LinearShape& shape) {
  Matrix result(shape.in, shape.out, scores);
  require_finite(result, "scores");
  const std::vector<bool> kept = kept_of(scores, spec.keep);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    result.data[i] = kept[i] ? std::max(scores[i], 0.0) : 0.0;
  }
  return result;
}

}  // namespace ty
