#include "models/compress/fwsvd.h"

#include <numeric>

#include "models/compress/importance.h"

namespace ty {

WeightedMatrix weigh_by_fisher(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics) {
  const Matrix& fisher = statistics.fisher;
  WeightedMatrix result = {w};
  result.loss_scale = 1.0;
  if (request.axis != WeightAxis::out) {
    const std::vector<double> rows = importances(row_sums(fisher), request.floor);
    scale_rows(result.weighted, rows);
    result.undo_left = [back = inverses(rows)](Matrix& a) { scale_rows(a, back); };
    result.loss_scale /= static_cast<double>(w.cols);  // a row's sum to its mean
  }
  if (request.axis != WeightAxis::in) {
    const std::vector<double> columns = importances(column_sums(fisher), request.floor);
    scale_columns(result.weighted, columns);
    result.undo_right = [back = inverses(columns)](Matrix& b) { scale_columns(b, back); };
    result.loss_scale /= static_cast<double>(w.rows);
  }
  if (request.axis == WeightAxis::both) {
    // F_ij ~ row sum * column sum / sum: of rank 1, as both sums have it.
    const double sum = std::accumulate(fisher.data.begin(), fisher.data.end(), 0.0);
    result.loss_scale = sum > 0 ? 1 / sum : 0;
  }
  return result;
}

}  // namespace ty
