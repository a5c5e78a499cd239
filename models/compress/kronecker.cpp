// W rearranged so that rows are (i1, j1) and columns (i2, j2) has rank R exactly if W is a sum of R
// products; its leading R singular values give the nearest one. TT-SVD with two cores is that.
#include "models/compress/kronecker.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "models/linear/kronecker/kronecker.h"
#include "models/linear/ttm/tt_svd.h"

namespace ty {

namespace {

struct Plan {
  KroneckerSpec sizes;
  TtRule rule;
};

struct PlanFor {
  const LinearShape& size;
  const DecompositionRequest& request;

  Plan operator()(const RankBudget& budget) const {
    return {sizes(1, 0), UniformRank{budget.rank}};
  }
  Plan operator()(const ErrorBudget& budget) const {
    return {sizes(1, 0), RelativeTolerance{budget.eps}};
  }
  Plan operator()(const ShareBudget& budget) const {
    const std::int64_t term = weights_of_term(sizes(1, 0));
    return {sizes(1, 0), UniformRank{check_share(size, budget.share, term) / term}};
  }

 private:
  KroneckerSpec sizes(std::int64_t terms, double keep) const {
    const KroneckerSpec spec = {.in = request.in, .out = request.out, .terms = terms, .keep = keep};
    if (const std::optional<SpecFault> fault = fault_of(spec)) {
      throw ConfigError("--{}: {}", fault->key, fault->message);
    }
    return resolved(spec, size);
  }
};

}  // namespace

void check_kronecker(const LinearShape& size, const DecompositionRequest& request) {
  std::visit(PlanFor{size, request}, request.budget);
}

Decomposition decompose_kronecker(const Matrix& w, const DecompositionRequest& request,
                                  const LayerStatistics&) {
  const LinearShape size = {.in = w.rows, .out = w.cols};
  const auto [sizes, rule] = std::visit(PlanFor{size, request}, request.budget);
  TtApproximation cut = tt_svd(w, sizes.in, sizes.out, rule);
  Decomposition result;
  result.spec = KroneckerSpec{.in = sizes.in, .out = sizes.out, .terms = cut.train.shape.ranks[1]};
  result.error = cut.error;
  result.factors["core1"] = std::move(cut.train.cores[0]);
  result.factors["core2"] = std::move(cut.train.cores[1]);
  return result;
}

}  // namespace ty
