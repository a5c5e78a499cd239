#include "models/compress/row_trains.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/linear/row_trains/row_trains.h"
#include "models/linear/ttm/tt_svd.h"

namespace ty {

namespace {

RowTrainsSpec spec_for(const LinearShape& size, const DecompositionRequest& request) {
  RowTrainsSpec spec = {.cores = request.cores, .rank = 1};
  if (const auto* rank = std::get_if<RankBudget>(&request.budget)) spec.rank = rank->rank;
  if (const auto* share = std::get_if<ShareBudget>(&request.budget)) {
    check_share(size, share->share, num_weights(resolved(spec, size), size));
    spec.rank = 0;
    spec.keep = share->share;
  }
  return resolved(spec, size);
}

// Copies core k of a row's train into that of all rows, whose bonds may be wider.
void put(std::vector<double>& all, std::int64_t row, const TtmShape& wide, const TtCores& train,
         int k) {
  const auto [left, in, modes, right] = train.shape.core_shape(k);
  const std::int64_t width = wide.ranks[static_cast<std::size_t>(k) + 1];
  const double* from = train.cores[static_cast<std::size_t>(k)].data();
  double* to = all.data() + row * wide.core_size(k);
  for (std::int64_t i = 0; i < left * modes; ++i) {
    std::copy_n(from + i * right, right, to + i * width);
  }
}

}  // namespace

void check_row_trains(const LinearShape& size, const DecompositionRequest& request) {
  spec_for(size, request);
}

Decomposition decompose_row_trains(const Matrix& w, const DecompositionRequest& request,
                                   const LayerStatistics&) {
  const RowTrainsSpec spec = spec_for({.in = w.rows, .out = w.cols}, request);
  TtmShape shape = row_shape(spec);
  const auto* error = std::get_if<ErrorBudget>(&request.budget);
  const TtRule rule =
      error != nullptr ? TtRule(RelativeTolerance{error->eps}) : TtRule(BondRanks{spec.ranks});
  std::vector<TtCores> trains;
  double squares = 0;
  for (std::int64_t i = 0; i < w.rows; ++i) {
    const auto first = w.data.begin() + i * w.cols;
    TtApproximation cut =
        tt_svd(Matrix(1, w.cols, {first, first + w.cols}), shape.in, shape.out, rule);
    squares += cut.error * cut.error;
    for (std::size_t k = 0; k < shape.ranks.size(); ++k) {
      shape.ranks[k] = std::max(shape.ranks[k], cut.train.shape.ranks[k]);
    }
    trains.push_back(std::move(cut.train));
  }
  Decomposition result;
  result.spec = row_trains_spec(shape);
  result.error = std::sqrt(squares);
  for (int k = 0; k < shape.num_cores(); ++k) {
    std::vector<double>& core = result.factors[fmt::format("core{}", k + 1)];
    core.resize(static_cast<std::size_t>(w.rows * shape.core_size(k)));
    for (std::int64_t i = 0; i < w.rows; ++i) {
      put(core, i, shape, trains[static_cast<std::size_t>(i)], k);
    }
  }
  return result;
}

}  // namespace ty
