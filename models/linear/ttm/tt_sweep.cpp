#include "models/linear/ttm/tt_sweep.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

// Puts a digit in front of the numbers so far: its values weigh `weight` each.
std::vector<std::int64_t> with_digit(const std::vector<std::int64_t>& tail, std::int64_t radix,
                                     std::int64_t weight) {
  std::vector<std::int64_t> places;
  places.reserve(tail.size() * static_cast<std::size_t>(radix));
  for (std::int64_t digit = 0; digit < radix; ++digit) {
    for (std::int64_t place : tail) places.push_back(digit * weight + place);
  }
  return places;
}

}  // namespace

Interleaving::Interleaving(const TtmShape& shape) : rows{0}, cols{0} {
  std::int64_t place = 1;  // n_{k+1} .. n_N, from the fastest digit on
  for (auto k = shape.in.size(); k-- > 0;) {
    rows = with_digit(rows, shape.in[k], place * shape.out[k]);
    cols = with_digit(cols, shape.out[k], place);
    place *= shape.in[k] * shape.out[k];
  }
}

Matrix interleave(const Matrix& w, const TtmShape& shape) {
  const Interleaving place(shape);
  Matrix tensor(shape.mode(0), shape.padded_in() * shape.padded_out() / shape.mode(0));
  for (std::int64_t i = 0; i < w.rows; ++i) {
    const std::int64_t row = place.rows[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < w.cols; ++j) {
      tensor.data[static_cast<std::size_t>(row + place.cols[static_cast<std::size_t>(j)])] =
          w(i, j);
    }
  }
  return tensor;
}

BondRules::BondRules(const TtmShape& shape, const TtRule& rule)
    : num_bonds_(shape.num_cores() - 1) {
  if (const auto* tolerance = std::get_if<RelativeTolerance>(&rule)) {
    if (!(tolerance->eps >= 0.0)) throw ConfigError("tt: tolerance {} is below 0", tolerance->eps);
    tolerance_ = tolerance->eps;
  }
  TtmShape wanted = shape;
  if (const auto* uniform = std::get_if<UniformRank>(&rule)) {
    wanted = with_rank(shape.in, shape.out, uniform->rank);
  } else if (const auto* bonds = std::get_if<BondRanks>(&rule)) {
    wanted = with_ranks(shape.in, shape.out, bonds->ranks);
  }
  validate(wanted, shape.padded_in(), shape.padded_out());
  ranks_ = std::move(wanted.ranks);
}

// Errors of a sweep are orthogonal, so energies add up to at most eps^2 |W|^2: a bond may discard
// an equal share of what those before it have left.
TruncationRule BondRules::at(int bond, double total_energy, double discarded) const {
  if (!tolerance_) return KeepRank{ranks_[static_cast<std::size_t>(bond)]};
  const double left = *tolerance_ * *tolerance_ * total_energy - discarded;
  return DiscardEnergy{std::max(left, 0.0) / (num_bonds_ - bond + 1)};
}

}  // namespace ty
