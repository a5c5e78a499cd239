// The matrix W of a TTM layer, made some columns at a time, and the projection of its gradient on
// the cores.
//
// The cores are merged into two, and W = A B over one bond, with the digits of A's and B's modes
// interleaved in W's rows and columns: a contraction that writes each number to its place.
// The gradient D of W is needed twice, dA = D B^T and dB = A^T D: a tile of it at a time is copied
// together, where it stays in the cache of one core. The smaller factor's gradient is a sum over
// tiles, added up share by share (shares.h).
#pragma once

#include <functional>
#include <span>

#include "models/linear/ttm/ttm_merge.h"
#include "models/linear/ttm/ttm_plan.h"
#include "models/linear/ttm/ttm_shape.h"

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
  // The factor whose parts make tiles: the larger one.
  enum class Cut : std::uint8_t { left, right };
  // Blocks [block, block + blocks); values of i_1 (left; several if A_rest is 1) or of B's first
  // input digit (right).
  struct Tile {
    std::int64_t block, blocks, first, count;
    std::size_t share;
    View copy;  // of its part of dW
  };
  void for_tiles(std::int64_t first, std::int64_t count,
                 const std::function<void(const Tile&)>& work) const;
  // W's columns of some blocks as rows of A and columns of B: [I_1, J_1, I_2, J_2, ..].
  Unfolding digits(const View& w) const;
  // A tile in w, the columns of blocks [first, ..), in the order of its copy.
  View place(const View& w, const Tile& tile, std::int64_t first) const;
  // A tile's part of A or dA, as rows [.., R], and of B or dB, as columns [R, ..].
  View rows(const Tensor& a, const Tile& tile) const;
  View columns(const Tensor& b, const Tile& tile) const;

  MergedCores left_, right_;
  Tensor a_;  // cut left: [I_1, J_1, A_rest, R] with A_rest = I_2 J_2 ..; cut right: [J_1, I_1, ..]
  Tensor b_;  // [R, I_{split+1}, B_rest] with B_rest = J_{split+1} I_{split+2} J_{split+2} ..
  Tensor db_;  // cut right: b_, if all is projected at once
  // dB (cut left) or dA as [R, J_1, I_1, A_rest] (cut right) of each share.
  std::vector<Tensor> sums_;
  Cut cut_;
  std::int64_t blocks_, block_;
  Backend* backend_;
  DType dtype_;
};

}  // namespace ty
