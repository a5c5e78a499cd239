// A cap on the norms of factors (max-norm regularisation: Srebro et al., NIPS 2004; of the cores of
// structured layers: Qiu et al., arXiv 2406.06248, 4.2).
//
// A factor's scale can wander into its neighbours', for only their product has a meaning. A factor
// that has grown makes its neighbours' gradients large. So before each update it is scaled down,
// where its root mean square, over all of its elements, is above the cap:
//
//   G <- G min(1, max_rms / RMS(G))
//
// The norm is taken of the values that the model reads, which every rank has whole where the
// updates of a sharded optimizer see a piece.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/nn/parameter.h"

namespace ty {

class NormCap {
 public:
  // Makes the terms that ranks have of sums, each of its part of a factor, those sums, in place.
  using AddUp = std::function<void(const View&)>;
  using IsCapped = std::function<bool(const Parameter&)>;

  // For the trained parameters of a store with memory that are capped.
  NormCap(const ParameterStore& store, const IsCapped& is_capped, AddUp add_up);

  // Takes the norms; a collective call where ranks divide a factor.
  void begin_step();
  // The sum of squares of a capped parameter, [1] fp64.
  View squares(std::size_t parameter) const;

 private:
  const ParameterStore* store_;
  std::vector<std::size_t> capped_;  // those that ranks divide first
  std::int64_t divided_ = 0;         // how many they are
  Tensor squares_;                   // in this order
  AddUp add_up_;
};

}  // namespace ty
