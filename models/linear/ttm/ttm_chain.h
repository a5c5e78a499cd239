// A TTM layer as a chain: the input is contracted with one group of merged cores after another
// (chain_program.h). Rows are processed in pieces whose states stay in the cache of one CPU core,
// as many pieces at a time as the backend has workers. Gradients of the factors are sums over
// pieces, accumulated share by share (shares.h).
//
//   forward   x ----> operand 1 --F_1--> result 1 ----> operand 2 --F_2--> result 2 ----> y
//                  copy                          copy                            copy
//   backward  the operands again; then, from y to x, d_F_k += operand_k^T d_result_k and
//             d_operand_k = d_result_k F_k^T. Copies are left out where the order is right already.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "models/linear/ttm/chain_program.h"
#include "models/linear/ttm/ttm_merge.h"

namespace ty {

class TtmChain {
 public:
  // cores: each [R_{k-1}, I_k, J_k, R_k] of `shape`; arithmetic in `dtype` (fp32 or fp64).
  TtmChain(std::span<const Tensor> cores, const TtmShape& shape, const ChainPass& pass,
           Backend& backend, DType dtype);

  // y [B, out] = x [B, in] W, rows contiguous. Padding features of the input read as zero, those of
  // the output are dropped.
  void forward(const View& y, const View& x) const;

  // Recomputes the states of each piece and propagates dy [B, out] back through them. Writes dx [B,
  // in] (no data: not wanted) and returns the gradients of the cores.
  std::vector<Gradient> backward(const View& dx, const View& dy, const View& x) const;

 private:
  // The memory of one worker, allocated before the work begins; it processes one piece at a time.
  struct Room {
    std::vector<Tensor> operands;  // of each step; undefined where x itself can be used
    std::array<Tensor, 2> states;  // used alternately
    std::size_t last = 0;

    View next_state(std::int64_t rows, std::int64_t width);
    void drop_state() { last ^= 1; }  // the next state may overwrite it
  };
  struct Piece {
    std::int64_t first, count;  // rows
    std::size_t share;
    bool is_first;  // of its share
  };

  // The number of pieces for so many rows, and the number of shares of a sum over them.
  std::int64_t num_pieces(std::int64_t rows) const;
  std::int64_t num_sums(std::int64_t rows) const;
  // Divides the rows of x into pieces, and these into `shares`, and calls `work` for each piece
  // with the memory of the worker that has its share.
  void in_pieces(const View& x, std::int64_t shares,
                 const std::function<void(Room&, const Piece&)>& work) const;
  Room room(std::int64_t rows, bool loads) const;

  // Computes the operands of all steps for a piece of x.
  std::vector<View> operands_of(const View& x, Room& room) const;
  // result = F^T operand; d_operand = F d_result (`turned`: the transposed factor); d_F, laid out
  // as F, = beta d_F + the product of operand and d_result.
  void multiply(const ChainStep& step, const View& result, const View& operand) const;
  void multiply_back(const ChainStep& step, const Tensor& turned, const View& d_operand,
                     const View& d_result) const;
  void add_gradient(const ChainStep& step, const View& d_factor, const View& operand,
                    const View& d_result, double beta) const;
  const Tensor& factor(const ChainStep& step) const {
    return factors_[static_cast<std::size_t>(step.group)];
  }

  // Whether a piece of x [n, width] with axes `from` can serve as the state with axes `to` without
  // a copy.
  bool lies_as(const View& x, const ChainAxes& from, const ChainAxes& to) const;
  // load() makes the state with axes `to` from x [n, width], which holds the first columns of the
  // axes `from`; store() is the reverse.
  void load(const View& state, const ChainAxes& to, const View& x, const ChainAxes& from,
            Room& room) const;
  void store(const View& y, const ChainAxes& to, const View& state, const ChainAxes& from,
             Room& room) const;

  ChainProgram program_;
  std::int64_t tokens_;  // of a piece; 0: all
  std::vector<MergedCores> groups_;
  std::vector<MergedCores::Layout> layouts_;
  std::vector<Tensor> factors_;  // of each group: [I R, J R'], or transposed if steps have columns
  Backend* backend_;
  DType dtype_;
};

}  // namespace ty
