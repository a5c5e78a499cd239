// The matrix W of a TTM layer, made some columns at a time, and the projection of its gradient on
// the cores.
//
// The cores are merged into two, W = A B over one bond: a product of A's rows for one (i_1, j_1)
// with B gives a tile of W, digits interleaved; a permuting copy puts it in place. The gradient
// takes the same way back: dB += A^T D, dA = D B^T. Tiles are as many side by side as the backend
// has workers, each of which has a product in the cache of its core and a sum dB of its own.
#pragma once

#include <functional>
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

  std::int64_t in() const { return in_; }                 // with padding
  std::int64_t out() const { return blocks() * block_; }  // with padding
  std::int64_t blocks() const { return a_.dim(1); }       // J_1
  std::int64_t block() const { return block_; }           // columns of W per value of j_1

  // w [in, count * block] = the columns of blocks [first, first + count); of any float type.
  void build(std::int64_t first, std::int64_t count, const View& w) const;

  // Takes in what dw, the gradient of the same columns, means for A and B; each block once. dw is
  // of `dtype`.
  void project(std::int64_t first, std::int64_t count, const View& dw);
  // Gradients of the cores from all that was projected.
  std::vector<Gradient> gradients() const;

 private:
  // A tile: one value of j_1, and one of i_1 (some, if A is one core and its rows are short).
  struct Tile {
    std::int64_t block, first, count;
    int worker;
    View product;  // room for it: [count A_rest, I_B J_B]
  };
  void for_tiles(std::int64_t first, std::int64_t count,
                 const std::function<void(const Tile&)>& work) const;
  // A tile in w, the columns of blocks [first_block, ..), in the order of the product:
  // [count, I_2, J_2, .., I_B, J_B].
  View digits(const View& w, const Tile& tile, std::int64_t first_block) const;
  // The rows of a tile in A, and in dA after project().
  View rows_of(const Tile& tile) const;

  MergedCores left_, right_;
  Tensor a_;                // [I_1, J_1, A_rest, R] with A_rest = I_2 J_2 ..
  Tensor b_;                // [R, I_B J_B]
  std::vector<Tensor> db_;  // a worker's sum each
  std::int64_t in_, block_;
  Backend* backend_;
  DType dtype_;
};

}  // namespace ty
