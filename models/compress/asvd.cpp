#include "models/compress/asvd.h"

#include <cmath>

#include "models/compress/importance.h"

namespace ty {

WeightedMatrix weigh_by_inputs(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics) {
  std::vector<double> squares = statistics.mean_input;
  for (double& value : squares) value = std::pow(value, 2 * request.exponent);
  const std::vector<double> rows = importances(std::move(squares), request.floor);
  WeightedMatrix result = {w};
  scale_rows(result.weighted, rows);
  result.undo_left = [back = inverses(rows)](Matrix& a) { scale_rows(a, back); };
  return result;
}

}  // namespace ty
