// The ttm kind: W as a tensor train matrix by TT-SVD.
#include "models/linear/ttm/ttm.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "models/compress/method.h"
#include "models/linear/ttm/choose_shape.h"
#include "models/linear/ttm/tt_svd.h"

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

struct Plan {
  TtmShape modes;
  TtRule rule;
};

struct PlanFor {
  const LinearShape& size;
  const DecompositionRequest& request;

  Plan operator()(const RankBudget& budget) const {
    return {modes_for(budget.rank), UniformRank{budget.rank}};
  }
  Plan operator()(const ErrorBudget& budget) const {
    return {modes_for(1), RelativeTolerance{budget.eps}};
  }
  Plan operator()(const ShareBudget& budget) const {
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

void check_ttm(const LinearShape& size, const DecompositionRequest& request) {
  std::visit(PlanFor{size, request}, request.budget);
}

Decomposition decompose_ttm(const Matrix& w, const DecompositionRequest& request) {
  const LinearShape size = {.in = w.rows, .out = w.cols};
  const auto [modes, rule] = std::visit(PlanFor{size, request}, request.budget);
  TtApproximation cut = tt_svd(w, modes.in, modes.out, rule);
  Decomposition result;
  result.spec = exact_spec(cut.train.shape);
  result.error = cut.error;
  for (std::size_t k = 0; k < cut.train.cores.size(); ++k) {
    result.factors[fmt::format("core{}", k + 1)] = std::move(cut.train.cores[k]);
  }
  return result;
}

}  // namespace ty
