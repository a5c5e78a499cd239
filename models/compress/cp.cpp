#include "models/compress/cp.h"

#include <utility>

#include "core/base/error.h"
#include "models/linear/cp/cp.h"
#include "models/linear/cp/cp_als.h"

namespace ty {

namespace {

// The spec of a request for a layer of this size.
CpSpec spec_for(const LinearShape& size, const DecompositionRequest& request) {
  CpSpec spec = {.in = request.in, .out = request.out, .modes = request.cores};
  if (const auto* rank = std::get_if<RankBudget>(&request.budget)) {
    spec.terms = rank->rank;
  } else if (const auto* share = std::get_if<ShareBudget>(&request.budget)) {
    spec.terms = 1;
    check_share(size, share->share, num_weights(resolved(spec, size), size));
    spec.terms = 0;
    spec.keep = share->share;
  } else {
    throw ConfigError("cp: no number of terms is known for an error; want --rank or --keep");
  }
  return resolved(spec, size);
}

}  // namespace

void check_cp(const LinearShape& size, const DecompositionRequest& request) {
  spec_for(size, request);
}

Decomposition decompose_cp(const Matrix& w, const DecompositionRequest& request,
                           const LayerStatistics&) {
  const CpSpec spec = spec_for({.in = w.rows, .out = w.cols}, request);
  CpFit fit = cp_als(w, modes_of(spec), spec.terms);
  Decomposition result;
  result.spec = spec;
  result.error = fit.error;
  result.factors["factor1"] = std::move(fit.factors[0].data);
  for (std::size_t k = 1; k < fit.factors.size(); ++k) {
    result.factors[fmt::format("factor{}", k + 1)] = transpose(fit.factors[k]).data;
  }
  return result;
}

}  // namespace ty
