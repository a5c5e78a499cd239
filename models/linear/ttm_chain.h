// A TTM layer as a chain: the input is contracted with one group of merged cores after the other
// (chain_program.h). Rows go through in pieces whose states stay in the cache of one core, as many
// side by side as the backend has workers; each worker sums up gradients of the factors of its own.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "models/linear/chain_program.h"
#include "models/linear/ttm_merge.h"

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
    std::vector<Tensor> operands;   // of each step; none where a piece of x itself will do
    std::array<Tensor, 2> states;   // in turns
    std::vector<Tensor> d_factors;  // the sum over the worker's pieces
    std::size_t last = 0;

    View next_state(std::int64_t rows, std::int64_t width);
  };
  struct Piece {
    std::int64_t first, count;  // rows
    bool is_first;              // of its worker
  };

  // Takes rows of x to rows of y through rooms of their own, side by side.
  std::vector<Room> in_pieces(const View& x, Direction direction,
                              const std::function<void(Room&, const Piece&)>& work) const;
  Room room(std::int64_t rows, bool loads, Direction direction) const;

  // The operands of all steps for a piece of x, as matrices [.., I R].
  std::vector<View> operands_of(const View& x, Room& room) const;
  const Tensor& factor(const ChainStep& step) const {
    return factors_[static_cast<std::size_t>(step.group)];
  }
  // Whether x [n, width] must be copied to be contiguous rows of `padded` numbers of dtype_.
  bool must_load(const View& x, std::int64_t padded) const;
  View load(const View& x, std::int64_t padded, const View& into) const;
  // y [n, width] = the first columns of a state with axes `from`, in the order `to`.
  void store(const View& y, const View& x, const ChainAxes& from, const ChainAxes& to,
             Room& room) const;
  // Whether the state of these axes may be a part of y itself.
  bool lies_in(const View& y, const ChainAxes& from, const ChainAxes& to) const;

  ChainPass pass_;
  ChainProgram program_;
  std::int64_t padded_in_, padded_out_;
  std::vector<MergedCores> groups_;
  std::vector<Tensor> factors_;  // of each group: [I R, J R']
  Backend* backend_;
  DType dtype_;
};

}  // namespace ty
