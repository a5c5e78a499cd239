#include "models/compress/ttm.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "models/linear/ttm/choose_shape.h"
#include "models/linear/ttm/ttm.h"

namespace ty {

namespace {

// The largest uniform rank whose cores, cut to their caps, have at most so many weights. A cut bond
// leaves room for the others, so this is at or above rank_for_budget().
std::int64_t clipped_rank_for_budget(const TtmShape& modes, std::int64_t weights) {
  const auto needed = [&](std::int64_t rank) {
    return clip_ranks(with_rank(modes.in, modes.out, rank)).num_parameters();
  };
  const std::vector<std::int64_t> caps = rank_caps(modes);
  std::int64_t fits = rank_for_budget(modes, weights);
  std::int64_t above = std::max(fits, *std::max_element(caps.begin(), caps.end())) + 1;
  while (above - fits > 1) {
    const std::int64_t middle = fits + (above - fits) / 2;
    (needed(middle) <= weights ? fits : above) = middle;
  }
  return fits;
}

std::int64_t weights_of_rank_one(const TtmShape& modes) {
  return with_rank(modes.in, modes.out, 1).num_parameters();
}

struct PlanFor {
  const LinearShape& size;
  const DecompositionRequest& request;

  TtTarget operator()(const RankBudget& budget) const {
    return {modes_for(budget.rank), UniformRank{budget.rank}};
  }
  TtTarget operator()(const ErrorBudget& budget) const {
    return {modes_for(1), RelativeTolerance{budget.eps}};
  }
  TtTarget operator()(const ShareBudget& budget) const {
    const std::int64_t least = weights_of_rank_one(modes_for(1));
    const std::int64_t weights = check_share(size, budget.share, least);
    const TtmShape modes =
        is_given() ? modes_for(1)
                   : choose_modes(size.in, size.out, weights, static_cast<int>(request.cores));
    return {modes, UniformRank{clipped_rank_for_budget(modes, weights)}};
  }

 private:
  bool is_given() const { return !request.in.empty() || !request.out.empty(); }
  TtmShape modes_for(std::int64_t rank) const {
    if (!is_given()) {
      return choose_shape(size.in, size.out, rank, static_cast<int>(request.cores));
    }
    TtmShape given = with_rank(request.in, request.out, rank);
    validate(given, size.in, size.out);
    return given;
  }
};

}  // namespace

TtTarget tt_target(const LinearShape& size, const DecompositionRequest& request) {
  return std::visit(PlanFor{size, request}, request.budget);
}

void check_ttm(const LinearShape& size, const DecompositionRequest& request) {
  tt_target(size, request);
}

Decomposition ttm_decomposition(TtCores train, double error) {
  Decomposition result;
  result.spec = exact_spec(train.shape);
  result.error = error;
  for (std::size_t k = 0; k < train.cores.size(); ++k) {
    result.factors[fmt::format("core{}", k + 1)] = std::move(train.cores[k]);
  }
  return result;
}

Decomposition decompose_ttm(const Matrix& w, const DecompositionRequest& request,
                            const LayerStatistics&) {
  const auto [modes, rule] = tt_target({.in = w.rows, .out = w.cols}, request);
  TtApproximation cut = tt_svd(w, modes.in, modes.out, rule);
  return ttm_decomposition(std::move(cut.train), cut.error);
}

Decomposition reduce_ttm(const Decomposition& factors, const LinearShape& size,
                         const DecompositionRequest& request) {
  const TtmShape shape = shape_of(*factors.spec.as<TtmSpec>());
  if (!request.in.empty() && (request.in != shape.in || request.out != shape.out)) {
    throw ConfigError("its modes are in {} out {}; want these, or none", list_of(shape.in),
                      list_of(shape.out));
  }
  DecompositionRequest same = request;
  same.in = shape.in;
  same.out = shape.out;
  TtCores train = {shape, {}};
  for (int k = 1; k <= shape.num_cores(); ++k) {
    train.cores.push_back(factors.factors.at(fmt::format("core{}", k)));
  }
  TtApproximation cut = tt_round(std::move(train), tt_target(size, same).rule);
  return ttm_decomposition(std::move(cut.train), cut.error);
}

}  // namespace ty
