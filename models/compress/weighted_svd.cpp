#include "models/compress/weighted_svd.h"

#include <utility>

#include "core/base/error.h"
#include "models/linear/svd/svd.h"

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

TruncationRule rank_rule(const Matrix& weighted, const Budget& budget) {
  return std::visit(RuleFor{weighted}, budget);
}

void check_svd(const LinearShape& size, const DecompositionRequest& request) {
  if (const auto* budget = std::get_if<ShareBudget>(&request.budget)) rank_within(*budget, size);
}

SvdFactors factors_of(const WeightedMatrix& w, const TruncationRule& rule) {
  SvdFactors cut = svd_factors(w.weighted, rule);
  if (w.undo_left) w.undo_left(cut.a);
  if (w.undo_right) w.undo_right(cut.b);
  return cut;
}

Decomposition svd_decomposition(const Matrix& w, Matrix a, Matrix b) {
  Decomposition result;
  result.spec = SvdSpec{.rank = a.cols};
  result.error = frobenius_norm(subtract(multiply(a, b), w));
  result.factors["a"] = std::move(a.data);
  result.factors["b"] = std::move(b.data);
  return result;
}

Decomposition decompose_weighted(const Matrix& w, const WeightedMatrix& weighted,
                                 const Budget& budget) {
  SvdFactors cut = factors_of(weighted, rank_rule(weighted.weighted, budget));
  return svd_decomposition(w, std::move(cut.a), std::move(cut.b));
}

}  // namespace ty
