#include "models/compress/svd.h"

#include <utility>

#include "core/linalg/qr.h"
#include "models/linear/svd/svd.h"

namespace ty {

WeightedMatrix weigh_evenly(const Matrix& w, const DecompositionRequest&, const LayerStatistics&) {
  return {w};
}

Decomposition decompose_svd(const Matrix& w, const DecompositionRequest& request,
                            const LayerStatistics& statistics) {
  return decompose_by<weigh_evenly>(w, request, statistics);
}

SvdFactors reduced_factors(const Matrix& a, const Matrix& b, const TruncationRule& rule,
                           FactorMerge merge) {
  SvdFactors cut;
  if (merge == FactorMerge::exact) {
    const Qr left = qr(a);
    cut = svd_factors(multiply(left.r, b), rule);
    cut.a = multiply(left.q, cut.a);
    return cut;
  }
  cut = svd_factors(b, rule);
  cut.a = multiply(a, cut.a);
  cut.error = frobenius_norm(subtract(multiply(cut.a, cut.b), multiply(a, b)));
  return cut;
}

Decomposition reduce_svd(const Decomposition& factors, const LinearShape& size,
                         const DecompositionRequest& request) {
  const std::int64_t rank = factors.spec.as<SvdSpec>()->rank;
  const Matrix a(size.in, rank, factors.factors.at("a")),
      b(rank, size.out, factors.factors.at("b"));
  const Matrix product = multiply(a, b);
  SvdFactors cut = reduced_factors(a, b, rank_rule(product, request.budget));
  return svd_decomposition(product, std::move(cut.a), std::move(cut.b));
}

}  // namespace ty
