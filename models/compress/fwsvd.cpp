#include "models/compress/fwsvd.h"

#include <numeric>

#include "models/compress/importance.h"

namespace ty {

namespace {

// By the sums of a matrix of weights.
WeightedMatrix weigh_by_sums(const Matrix& w, const DecompositionRequest& request,
                             const std::vector<double>& row_sums,
                             const std::vector<double>& column_sums) {
  WeightedMatrix result = {w};
  result.loss_scale = 1.0;
  if (request.axis != WeightAxis::out) {
    const std::vector<double> rows = importances(row_sums, request.floor);
    scale_rows(result.weighted, rows);
    result.undo_left = [back = inverses(rows)](Matrix& a) { scale_rows(a, back); };
    result.loss_scale /= static_cast<double>(w.cols);  // a row's sum to its mean
  }
  if (request.axis != WeightAxis::in) {
    const std::vector<double> columns = importances(column_sums, request.floor);
    scale_columns(result.weighted, columns);
    result.undo_right = [back = inverses(columns)](Matrix& b) { scale_columns(b, back); };
    result.loss_scale /= static_cast<double>(w.rows);
  }
  if (request.axis == WeightAxis::both) {
    // F_ij ~ row sum * column sum / sum: of rank 1, as both sums have it.
    const double sum = std::accumulate(row_sums.begin(), row_sums.end(), 0.0);
    result.loss_scale = sum > 0 ? 1 / sum : 0;
  }
  return result;
}

}  // namespace

WeightedMatrix weigh_by_fisher(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics) {
  return weigh_by_sums(w, request, row_sums(statistics.fisher), column_sums(statistics.fisher));
}

WeightedMatrix weigh_by_lora(const Matrix& w, const DecompositionRequest& request,
                             const LayerStatistics& statistics) {
  return weigh_by_sums(w, request, statistics.lora_rows, statistics.lora_columns);
}

WeightedMatrix weigh_by_scores(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics) {
  return weigh_by_sums(w, request, row_sums(statistics.scores), column_sums(statistics.scores));
}

}  // namespace ty
