// The matrix W of a TTM layer, formed some columns at a time, and the projection of its gradient
// onto the cores.
//
// The cores are merged into two factors with W = A B over one bond; the modes of A and B are
// interleaved in W's rows and columns, so the product is a contraction that writes each element to
// its place:
//   cores (1, 2, 2, R) (R, 2, 2, 1), split 1: A [i1 j1, R], B [R, i2 j2]
//
//     A B      i2 j2:  00 01 10 11         W        j1 j2:  00 01   10 11
//     i1 j1    00       a  b  c  d         i1 i2    00       a  b    e  f
//              01       e  f  g  h                  01       c  d    g  h
//              10       i  j  k  l                  10       i  j    m  n
//              11       m  n  o  p                  11       k  l    o  p
//                                                         block 0  block 1  (by j1)
//
// The gradient D of W is needed twice, dA = D B^T and dB = A^T D. So one tile of it at a time is
// copied to the order of A B, where it stays in the cache of one CPU core for both products. The
// gradient of the smaller factor is a sum over tiles, accumulated share by share (shares.h).
#pragma once

#include <functional>
#include <span>

#include "models/linear/ttm/ttm_merge.h"
#include "models/linear/ttm/ttm_plan.h"
#include "models/linear/ttm/ttm_shape.h"

namespace ty {

class TtmWeight {
 public:
  // cores: each [R_{k-1}, I_k, J_k, R_k] of `shape`; split: number of cores in A, 1 .. N.
  // Arithmetic in `dtype` (fp32 or fp64).
  TtmWeight(std::span<const Tensor> cores, int split, Backend& backend, DType dtype);

  std::int64_t in() const { return left_.in() * right_.in(); }  // with padding
  std::int64_t out() const { return blocks_ * block_; }         // with padding
  std::int64_t blocks() const { return blocks_; }               // J_1
  std::int64_t block() const { return block_; }                 // columns of W per value of j_1

  // w [in, count * block] = the columns of blocks [first, first + count); of any float type.
  void build(std::int64_t first, std::int64_t count, const View& w) const;

  // Accumulates the gradients of A and B that follow from dw, the gradient of the same columns, of
  // type `dtype`. Gradients overwrite factors: these columns cannot be built or projected again.
  void project(std::int64_t first, std::int64_t count, const View& dw);
  // Gradients of the cores from everything that was projected.
  std::vector<Gradient> gradients() const;

 private:
  // The factor that is divided into tiles: the larger one.
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
  // The columns of W for some blocks, unfolded to rows of A and columns of B: [I_1, J_1, I_2, J_2,
  // ..].
  Unfolding digits(const View& w) const;
  // A tile of w, which holds the columns of blocks [first, ..), in the order of its copy.
  View place(const View& w, const Tile& tile, std::int64_t first) const;
  // The part of A or dA that belongs to a tile, as rows [.., R], and that of B or dB, as columns
  // [R, ..].
  View rows(const Tensor& a, const Tile& tile) const;
  View columns(const Tensor& b, const Tile& tile) const;

  MergedCores left_, right_;
  Tensor a_;  // cut left: [I_1, J_1, A_rest, R] with A_rest = I_2 J_2 ..; cut right: [J_1, I_1, ..]
  Tensor b_;  // [R, I_{split+1}, B_rest] with B_rest = J_{split+1} I_{split+2} J_{split+2} ..
  Tensor db_;  // cut right; shares memory with b_ if all blocks are projected at once
  // dB (cut left) or dA as [R, J_1, I_1, A_rest] (cut right) of each share.
  std::vector<Tensor> sums_;
  Cut cut_;
  std::int64_t blocks_, block_;
  Backend* backend_;
  DType dtype_;
};

}  // namespace ty
