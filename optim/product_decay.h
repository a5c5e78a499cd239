// Decay of a product in place of its factors (Frobenius decay; Khodak et al., arXiv 2105.01029).
//
// Weight decay of a factor F_k shrinks |F_k|, of which the product W = F_1 F_2 .. F_N knows
// nothing. The gradient of |W|^2 / 2 instead is, for factors [R_{k-1}, modes, R_k] (ChainPlace),
//
//   dF_k = L_k F_k R_k     L_1 = 1,  L_{k+1} = F_k^T L_k F_k     from the left:  [R_{k-1}, R_{k-1}]
//                          R_N = 1,  R_{k-1} = F_k R_k F_k^T     from the right: [R_k, R_k]
//
// so W is never made. Of two factors: dA = A (B B^T), dB = (A^T A) B.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/nn/parameter.h"

namespace ty {

class ProductDecay {
 public:
  // Makes the terms that ranks have of a sum, each of its part of a factor, that sum, in place.
  using AddUp = std::function<void(const View&)>;
  using Decays = std::function<bool(const Parameter&)>;

  // For the chains of the store with a factor that decays. Throws ConfigError for one that ranks
  // divide along its rank.
  ProductDecay(const ParameterStore& store, const Decays& decays, AddUp add_up);

  // Takes what gradients need of the other factors from the values that the model reads; a
  // collective call where ranks divide a factor.
  void begin_step();
  // dF_k of a parameter, [numel] in fp32 or (of fp64) fp64, from its value as it is now.
  Tensor gradient(std::size_t parameter) const;
  // Frees what begin_step() took.
  void end_step();

 private:
  struct Factor {
    std::size_t parameter;
    ChainPlace place;
    bool is_divided;     // over ranks, along its modes
    Tensor left, right;  // L and R; undefined: 1
  };
  using Chain = std::vector<Factor>;

  Tensor value_of(const Factor& factor) const;
  // Sums over all but the last, or but the first, dimension of a factor f.
  Tensor passed_right(const Factor& factor, const Tensor& f) const;
  Tensor passed_left(const Factor& factor, const Tensor& f) const;

  const ParameterStore* store_;
  std::vector<Chain> chains_;
  AddUp add_up_;
};

}  // namespace ty
