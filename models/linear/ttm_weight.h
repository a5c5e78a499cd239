// The matrix W of a TTM layer, made some columns at a time, and the projection of its gradient on
// the cores.
//
// The cores are merged into two, W = A B over one bond: a product of A's rows for one value of j_1
// with B gives the columns of W with that j_1, digits interleaved; a permuting copy puts them in
// place. The gradient takes the same way back: dA += D B^T, dB += A^T D.
#pragma once

#include <span>
#include <vector>

#include "models/linear/ttm_merge.h"
#include "models/linear/ttm_plan.h"
#include "models/linear/ttm_shape.h"

namespace ty {

class TtmWeight {
 public:
  // cores: each [R_{k-1}, I_k, J_k, R_k] of `shape`; split: cores in A, 1 .. N. Arithmetic in
  // `dtype` (fp32 or fp64).
  TtmWeight(std::span<const Tensor> cores, int split, Backend& backend, DType dtype);

  std::int64_t in() const { return in_; }                // with padding
  std::int64_t out() const { return blocks_ * block_; }  // with padding
  std::int64_t blocks() const { return blocks_; }        // J_1
  std::int64_t block() const { return block_; }          // columns of W per value of j_1

  // w [in, count * block] = the columns of blocks [first, first + count); of any float type.
  void build(std::int64_t first, std::int64_t count, const View& w) const;

  // Adds what dw, the gradient of the same columns, means for A and B. dw is of `dtype`.
  void project(std::int64_t first, std::int64_t count, const View& dw);
  // Gradients of the cores from all that was projected.
  std::vector<Gradient> gradients() const;

 private:
  // Columns of block b in w, seen in the order of the product: [I_A, J_A / J_1, I_B, J_B].
  View digits(const View& w, std::int64_t b) const;
  View rows_of(const Tensor& a, std::int64_t b) const;

  MergedCores left_, right_;
  Tensor a_;  // [J_1, I_A J_A / J_1, R]
  Tensor b_;  // [R, I_B J_B]
  Tensor da_, db_;
  std::int64_t in_, blocks_, block_;
  Backend* backend_;
  DType dtype_;
};

}  // namespace ty
