// A TTM layer as a chain: the input is contracted with one group of merged cores after the other
// (chain_program.h). Rows go through in pieces whose states stay in the cache of one core, as many
// side by side as the backend has workers. Gradients of the factors are sums over pieces, added up
// share by share (shares.h).
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

  // y [B, out] = x [B, in] W, rows contiguous. Features beyond `in` read as zero, those beyond
  // `out` are cut.
  void forward(const View& y, const View& x) const;

  // Makes the states of each piece again and takes dy [B, out] back through them. Writes dx [B, in]
  // (no data: not wanted) and returns the gradients of the cores.
  std::vector<Gradient> backward(const View& dx, const View& dy, const View& x) const;

 private:
  // The memory of one worker, made before the work begins: one piece at a time goes through it.
  struct Room {
    std::vector<Tensor> operands;  // of each step; none where a piece of x itself will do
    std::array<Tensor, 2> states;  // in turns
    std::size_t last = 0;

    View next_state(std::int64_t rows, std::int64_t width);
    void drop_state() { last ^= 1; }  // the next one may take its place
  };
  struct Piece {
    std::int64_t first, count;  // rows
    std::size_t share;
    bool is_first;  // of its share
  };

  // How many pieces so many rows make, and how many shares of a sum over them.
  std::int64_t num_pieces(std::int64_t rows) const;
  std::int64_t num_sums(std::int64_t rows) const;
  // Takes the rows of x through in pieces, `shares` of them side by side, each through the memory
  // of its worker.
  void in_pieces(const View& x, std::int64_t shares,
                 const std::function<void(Room&, const Piece&)>& work) const;
  Room room(std::int64_t rows, bool loads) const;

  // The operands of all steps for a piece of x.
  std::vector<View> operands_of(const View& x, Room& room) const;
  // result = F^T operand, d_operand = F d_result (with the factor turned) and d_F (as F lies) =
  // beta d_F + their product.
  void multiply(const ChainStep& step, const View& result, const View& operand) const;
  void multiply_back(const ChainStep& step, const Tensor& turned, const View& d_operand,
                     const View& d_result) const;
  void add_gradient(const ChainStep& step, const View& d_factor, const View& operand,
                    const View& d_result, double beta) const;
  const Tensor& factor(const ChainStep& step) const {
    return factors_[static_cast<std::size_t>(step.group)];
  }

  // Whether a piece of x [n, width], with axes `from`, can be the state with axes `to` as it lies.
  bool lies_as(const View& x, const ChainAxes& from, const ChainAxes& to) const;
  // The state with axes `to` from x [n, width], the first columns of the axes `from`; the way back.
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
