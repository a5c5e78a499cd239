#include "models/linear/ttm/tt_svd.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/linalg/qr.h"
#include "models/linear/ttm/tt_sweep.h"

namespace ty {

namespace {

std::vector<double>& core(TtCores& train, int k) {
  return train.cores[static_cast<std::size_t>(k)];
}
std::int64_t& bond(TtCores& train, int k) { return train.shape.ranks[static_cast<std::size_t>(k)]; }

void check(const TtCores& train) {
  validate(train.shape, 1, 1);
  bool fits = std::ssize(train.cores) == train.shape.num_cores();
  for (int k = 0; fits && k < train.shape.num_cores(); ++k) {
    fits = std::ssize(train.cores[static_cast<std::size_t>(k)]) == train.shape.core_size(k);
  }
  if (!fits) throw ShapeError("tt: the cores do not have the sizes of {}", to_string(train.shape));
}

}  // namespace

TtApproximation tt_svd(const Matrix& w, std::vector<std::int64_t> in, std::vector<std::int64_t> out,
                       const TtRule& rule, SvdMethod method) {
  const TtmShape modes = with_rank(std::move(in), std::move(out), 1);
  validate(modes, w.rows, w.cols);
  const BondRules rules(modes, rule);
  const int n = modes.num_cores();
  require_finite(w, "tt-svd");
  const double total_energy = energy(w);

  TtCores train = {modes, {}};
  double discarded = 0.0;
  Matrix rest = interleave(w, modes);  // [r_{k-1} n_k, n_{k+1} .. n_N] at core k
  for (int k = 0; k + 1 < n; ++k) {
    RangeSplit parts = split(rest, rules.at(k + 1, total_energy, discarded), method);
    discarded += parts.discarded_energy;
    const std::int64_t rank = bond(train, k + 1) = parts.basis.cols;
    train.cores.push_back(std::move(parts.basis.data));
    const std::int64_t cols = parts.rest.cols / modes.mode(k + 1);
    rest = reshape(std::move(parts.rest), rank * modes.mode(k + 1), cols);
  }
  train.cores.push_back(std::move(rest.data));
  return {std::move(train), std::sqrt(discarded)};
}

TtApproximation tt_round(TtCores train, const TtRule& rule) {
  check(train);
  const BondRules rules(train.shape, rule);
  const int n = train.shape.num_cores();
  // Right to left: every core but the first gets orthonormal rows, so that a singular value at a
  // bond is one of the whole train.
  for (int k = n - 1; k > 0; --k) {
    const auto [left, i, j, right] = train.shape.core_shape(k);
    Lq factors = lq(Matrix(left, i * j * right, std::move(core(train, k))));
    core(train, k) = std::move(factors.q.data);
    const std::int64_t rows = train.shape.core_size(k - 1) / left;
    core(train, k - 1) =
        multiply(Matrix(rows, left, std::move(core(train, k - 1))), factors.l).data;
    bond(train, k) = factors.l.cols;
  }
  // Left to right: cut each bond and hand what remains to the next core.
  const auto [one, first_in, first_out, first_rank] = train.shape.core_shape(0);
  const double total_energy =
      energy(Matrix(one * first_in * first_out, first_rank, core(train, 0)));
  double discarded = 0.0;
  for (int k = 0; k + 1 < n; ++k) {
    const auto [left, i, j, right] = train.shape.core_shape(k);
    RangeSplit parts = split(Matrix(left * i * j, right, std::move(core(train, k))),
                             rules.at(k + 1, total_energy, discarded), SvdMethod::exact);
    discarded += parts.discarded_energy;
    core(train, k) = std::move(parts.basis.data);
    const std::int64_t cols = train.shape.core_size(k + 1) / right;
    core(train, k + 1) =
        multiply(parts.rest, Matrix(right, cols, std::move(core(train, k + 1)))).data;
    bond(train, k + 1) = parts.basis.cols;
  }
  return {std::move(train), std::sqrt(discarded)};
}

Matrix reconstruct(const TtCores& train) {
  check(train);
  const TtmShape& shape = train.shape;
  Matrix tensor(1, 1, {1.0});  // [n_1 .. n_k, R_k] after core k
  for (int k = 0; k < shape.num_cores(); ++k) {
    const auto [left, i, j, right] = shape.core_shape(k);
    const std::int64_t rows = tensor.rows * i * j;
    tensor = reshape(
        multiply(tensor, Matrix(left, i * j * right, train.cores[static_cast<std::size_t>(k)])),
        rows, right);
  }
  const Interleaving place(shape);
  Matrix w(shape.padded_in(), shape.padded_out());
  for (std::int64_t i = 0; i < w.rows; ++i) {
    const std::int64_t row = place.rows[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < w.cols; ++j) {
      w(i, j) =
          tensor.data[static_cast<std::size_t>(row + place.cols[static_cast<std::size_t>(j)])];
    }
  }
  return w;
}

}  // namespace ty
