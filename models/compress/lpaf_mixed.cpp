#include "models/compress/lpaf_mixed.h"

#include <utility>

#include "core/base/error.h"
#include "models/compress/fwsvd.h"
#include "models/linear/guided/guided.h"

namespace ty {

void check_lpaf_mixed(const LinearShape& size, const DecompositionRequest& request) {
  check_svd(size, request);
  if (request.steps >= 2) return;
  throw ConfigError("lpaf_mixed: want 2 steps of training after it or more, got {}", request.steps);
}

Decomposition decompose_lpaf_mixed(const Matrix& w, const DecompositionRequest& request,
                                   const LayerStatistics& statistics) {
  Decomposition result = decompose_by<weigh_by_scores>(w, request, statistics);
  const LinearSpec factors = result.spec;
  result.spec = GuidedSpec{.steps = request.steps * 7 / 10, .of = factors, .mix = GuideMix::draw};
  result.factors["guide.weight"] = w.data;
  return result;
}

}  // namespace ty
