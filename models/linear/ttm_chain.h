// A TTM layer as a chain: the input is contracted with one group of merged cores after the other
// (chain_program.h). Rows go through in pieces whose states stay in cache.
#pragma once

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
  // A state: where it lies, and the memory that must live as long (none for x itself).
  struct State {
    View view;
    Tensor owner;
  };
  // The operands of all steps for a piece of x, as matrices [.., I R].
  std::vector<State> operands_of(const View& x) const;
  const Tensor& factor(const ChainStep& step) const {
    return factors_[static_cast<std::size_t>(step.group)];
  }
  State empty(std::int64_t rows, std::int64_t columns) const;
  // x [n, width] as contiguous rows of `padded` numbers of dtype_; x itself if it is that already.
  State load(const View& x, std::int64_t padded) const;
  // The elements with axes in another order; the state itself if nothing moves.
  State moved(State x, const ChainAxes& from, const ChainAxes& to) const;
  // y [n, width] = the first columns of a state with axes `from`, in the order `to`.
  void store(const View& y, const State& x, const ChainAxes& from, const ChainAxes& to) const;
  // Whether the state of these axes may be a part of y itself.
  bool lies_in(const View& y, const ChainAxes& from, const ChainAxes& to) const;
  std::int64_t piece(std::int64_t rows) const;

  ChainPass pass_;
  ChainProgram program_;
  std::int64_t padded_in_, padded_out_;
  std::vector<MergedCores> groups_;
  std::vector<Tensor> factors_;  // of each group: [I R, J R']
  Backend* backend_;
  DType dtype_;
};

}  // namespace ty
