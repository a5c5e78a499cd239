// Dropout at one named place of a model; the identity outside of training.
#pragma once

#include "models/transformer/block.h"

namespace ty {

class Dropout {
 public:
  // The place's path is part of the key of its random numbers.
  Dropout(const BlockContext& at, double p);
  // For kernels that drop numbers themselves, of operands [B, ..].
  DropoutMask mask_of_samples(const ForwardContext& context) const;
  // x [B, T, C] or own rows or columns of it: the same numbers of the whole are dropped either way.
  Tensor operator()(const Tensor& x, const ForwardContext& context) const;

 private:
  double p_;
  std::uint64_t site_;
  bool has_own_rows_, has_own_columns_;
  int rank_, ranks_;  // of those that share the rows or columns
};

}  // namespace ty
