// The matrix W of a TTM layer, made some columns at a time, and the projection of its gradient on
// the cores.
//
// The cores are merged into two, and W = A B over one bond, with the digits of A's and B's modes
// interleaved in W's rows and columns: a contraction whose result is written in place. The gradient
// D of W gives dA = D B^T and dB = A^T D the same way.
#pragma once

#include <span>

#include "models/linear/ttm_merge.h"
#include "models/linear/ttm_plan.h"
#include "models/linear/ttm_shape.h"

namespace ty {

class TtmWeight {
 public:
  // cores: each [R_{k-1}, I_k, J_k, R_k] of `shape`; split: cores in A, 1 .. N. Arithmetic in
  // `dtype` (fp32 or fp64).
  TtmWeight(std::span<const Tensor> cores, int split, Backend& backend, DType dtype);

  std::int64_t in() const { return left_.in() * right_.in(); }  // with padding
  std::int64_t out() const { return blocks_ * block_; }         // with padding
  std::int64_t blocks() const { return blocks_; }               // J_1
  std::int64_t block() const { return block_; }                 // columns of W per value of j_1

  // w [in, count * block] = the columns of blocks [first, first + count); of any float type.
  void build(std::int64_t first, std::int64_t count, const View& w) const;

  // Takes in what dw, the gradient of the same columns, means for A and B. dw is of `dtype`.
  // Gradients take the place of factors: these columns cannot be built or projected again.
  void project(std::int64_t first, std::int64_t count, const View& dw);
  // Gradients of the cores from all that was projected.
  std::vector<Gradient> gradients() const;

 private:
  // W's columns of some blocks as rows of A and columns of B.
  Unfolding digits(const View& w) const;
  // Those blocks of A (or of its gradient, in the same place) [I_1, count, A_rest, R].
  View blocks_of_a(std::int64_t first, std::int64_t count) const;

  MergedCores left_, right_;
  Tensor a_;        // [I_1, J_1, A_rest, R] with A_rest = I_2 J_2 ..
  Tensor b_;        // [R, I_{split+1} J_{split+1} ..]
  Tensor da_, db_;  // of the factors; that of the larger one takes its place
  std::int64_t blocks_, block_;
  Backend* backend_;
};

}  // namespace ty
