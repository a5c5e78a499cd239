#include "models/compress/tucker.h"

#include <utility>

#include "core/base/error.h"
#include "models/linear/tucker/hosvd.h"
#include "models/linear/tucker/tucker.h"

namespace ty {

namespace {

TuckerRanks ranks_within(const ShareBudget& budget, const TtmShape& modes,
                         const LinearShape& size) {
  return ranks_within(modes, check_share(size, budget.share, tucker_weights(modes, {1, 1, 1})));
}

struct FitOf {
  const Matrix& w;
  const TtmShape& modes;

  TuckerFit operator()(const RankBudget& budget) const {
    return hosvd(w, modes, even_ranks(modes, budget.rank));
  }
  TuckerFit operator()(const ShareBudget& budget) const {
    return hosvd(w, modes, ranks_within(budget, modes, {.in = w.rows, .out = w.cols}));
  }
  TuckerFit operator()(const ErrorBudget& budget) const {
    return hosvd_within(w, modes, budget.eps);
  }
};

}  // namespace

void check_tucker(const LinearShape& size, const DecompositionRequest& request) {
  if (!request.in.empty() && (request.in.size() != 3 || request.out.size() != 3)) {
    throw ConfigError("tucker: {} input and {} output modes; want 3 of each", request.in.size(),
                      request.out.size());
  }
  const TtmShape modes = tucker_modes(request.in, request.out, size);
  if (const auto* share = std::get_if<ShareBudget>(&request.budget)) {
    ranks_within(*share, modes, size);
  }
}

Decomposition decompose_tucker(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics&) {
  const TtmShape modes = tucker_modes(request.in, request.out, {.in = w.rows, .out = w.cols});
  TuckerFit fit = std::visit(FitOf{w, modes}, request.budget);
  Decomposition result;
  result.spec =
      TuckerSpec{.in = modes.in, .out = modes.out, .ranks = {fit.ranks.begin(), fit.ranks.end()}};
  result.error = fit.error;
  result.factors["core"] = std::move(fit.core);
  result.factors["factor1"] = std::move(fit.factors[0].data);
  result.factors["factor2"] = transpose(fit.factors[1]).data;
  result.factors["factor3"] = transpose(fit.factors[2]).data;
  return result;
}

}  // namespace ty
