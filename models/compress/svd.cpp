// The svd kind: W ~ A B by the leading singular values.
#include "models/linear/svd/svd.h"

#include <utility>

#include "core/base/error.h"
#include "models/compress/method.h"
#include "models/linear/svd/svd_factors.h"

namespace ty {

namespace {

std::int64_t rank_within(const ShareBudget& budget, const LinearShape& size) {
  const std::int64_t rank_one = svd_parameters(size.in, size.out, 1);
  return check_share(size, budget.share, rank_one) / rank_one;
}

struct RuleFor {
  const Matrix& w;

  TruncationRule operator()(const RankBudget& budget) const { return KeepRank{budget.rank}; }
  TruncationRule operator()(const ShareBudget& budget) const {
    return KeepRank{rank_within(budget, {.in = w.rows, .out = w.cols})};
  }
  TruncationRule operator()(const ErrorBudget& budget) const {
    return within_relative(w, budget.eps);
  }
};

}  // namespace

void check_svd(const LinearShape& size, const DecompositionRequest& request) {
  if (const auto* budget = std::get_if<ShareBudget>(&request.budget)) rank_within(*budget, size);
}

Decomposition decompose_svd(const Matrix& w, const DecompositionRequest& request) {
  SvdFactors cut = svd_factors(w, std::visit(RuleFor{w}, request.budget));
  Decomposition result;
  result.spec = SvdSpec{.rank = cut.a.cols};
  result.error = cut.error;
  result.factors["a"] = std::move(cut.a.data);
  result.factors["b"] = std::move(cut.b.data);
  return result;
}

}  // namespace ty
