#include "models/compress/btt.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "models/linear/btt/btt.h"
#include "models/linear/btt/btt_blocks.h"

namespace ty {

namespace {

// Sizes of a request for a layer, at rank 1.
BttSpec sizes_for(const LinearShape& size, const DecompositionRequest& request) {
  const BttSpec spec = {.in = request.in, .out = request.out, .rank = 1};
  if (const std::optional<SpecFault> fault = fault_of(spec)) {
    throw ConfigError("--{}: {}", fault->key, fault->message);
  }
  return resolved(spec, size);
}

struct RankFor {
  const LinearShape& size;
  const BttSpec& sizes;
  const Matrix* w;  // of an error

  std::int64_t operator()(const RankBudget& budget) const { return budget.rank; }
  std::int64_t operator()(const ShareBudget& budget) const {
    const std::int64_t rank_one = weights_of_rank(sizes);
    return check_share(size, budget.share, rank_one) / rank_one;
  }
  std::int64_t operator()(const ErrorBudget& budget) const {
    if (w == nullptr) return 1;
    const std::vector<double> energies = btt_energies(*w, {sizes.in, sizes.out});
    const double bound = budget.eps * budget.eps * energies[0];
    const auto first = std::find_if(energies.begin() + 1, energies.end(),
                                    [&](double energy) { return energy <= bound; });
    return std::min<std::int64_t>(first - energies.begin(), most_ranks(sizes));
  }
};

}  // namespace

void check_btt(const LinearShape& size, const DecompositionRequest& request) {
  std::visit(RankFor{size, sizes_for(size, request), nullptr}, request.budget);
}

Decomposition decompose_btt(const Matrix& w, const DecompositionRequest& request,
                            const LayerStatistics&) {
  const LinearShape size = {.in = w.rows, .out = w.cols};
  BttSpec spec = sizes_for(size, request);
  const std::int64_t wanted = std::visit(RankFor{size, spec, &w}, request.budget);
  spec.rank = std::min(wanted, most_ranks(spec));
  BttFactors cut = btt_factors(w, {spec.in, spec.out}, spec.rank);
  Decomposition result;
  result.spec = spec;
  result.error = cut.error;
  result.factors["a"] = std::move(cut.a);
  result.factors["b"] = std::move(cut.b);
  return result;
}

}  // namespace ty
