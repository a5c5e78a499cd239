// Dropout at one named place of a model; the identity outside of training.
#pragma once

#include "models/transformer/block.h"

namespace ty {

// Where ranks that share a model meet what is dropped (models/linear/base/sharing.h). outside: all
// of it, or own rows or columns. inside: own columns of all rows. copies: all of it, one row per
// sequence.
enum class Lies : std::uint8_t { outside, inside, copies };

class Dropout {
 public:
  // The place's path is part of the key of its random numbers.
  Dropout(const BlockContext& at, double p, Lies lies = Lies::outside);
  // For kernels that drop numbers themselves, of operands [B, ..].
  DropoutMask mask_of_samples(const ForwardContext& context) const;
  // x [B, T, C], or what the ranks have of it: the same numbers of the whole are dropped in any
  // case.
  Tensor operator()(const Tensor& x, const ForwardContext& context) const;

 private:
  double p_;
  std::uint64_t site_;
  Share rows_, columns_;  // that a rank has of what is dropped
};

}  // namespace ty
