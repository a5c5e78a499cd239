// What sweeps over a tensor train have in common: where the entries of W lie in the tensor, and
// what a rule says of each bond.
#pragma once

#include <optional>
#include <vector>

#include "models/linear/ttm/tt_svd.h"

namespace ty {

// Position of (i, j) of W in the tensor (n_1 .. n_N) is rows[i] + cols[j].
struct Interleaving {
  std::vector<std::int64_t> rows, cols;

  explicit Interleaving(const TtmShape& shape);
};

// The tensor (n_1 .. n_N) of a padded W, as [n_1, the others].
Matrix interleave(const Matrix& w, const TtmShape& shape);

// A rule as targets for the bonds; bond k is the one between cores k - 1 and k.
class BondRules {
 public:
  // Throws ConfigError for a rule that does not fit the modes.
  BondRules(const TtmShape& shape, const TtRule& rule);
  TruncationRule at(int bond, double total_energy, double discarded) const;

 private:
  int num_bonds_;
  std::optional<double> tolerance_;
  std::vector<std::int64_t> ranks_;
};

}  // namespace ty
