// Neighbouring cores contracted over the bonds between them, and the way back for gradients.
//
// A merged core keeps its modes interleaved, [R_first, n_1 .. n_k, R_last] with n = I J, because
// then every step is one matrix product. Arithmetic is in the accumulator type (fp32, or fp64 for
// fp64 cores), whatever the cores' own type.
#pragma once

#include <span>
#include <vector>

#include "core/autograd/autograd.h"

namespace ty {

class MergedCores {
 public:
  // cores: each [R_{k-1}, I_k, J_k, R_k], neighbours in this order; none: the number 1.
  MergedCores(std::span<const Tensor> cores, Backend& backend, DType dtype);

  std::int64_t in() const { return in_; }        // product of the I_k
  std::int64_t out() const { return out_; }      // product of the J_k
  std::int64_t left() const { return left_; }    // rank of the leftmost bond
  std::int64_t right() const { return right_; }  // rank of the rightmost bond
  const std::vector<Tensor>& cores() const { return cores_; }

  // The order in which a group stands as an operand of matrix products.
  enum class Layout : std::uint8_t {
    in_left__out_right,  // [I, R_left, J, R_right]: a step of a chain from the left
    in_right__out_left,  // [I, R_right, J, R_left]: a step of a chain from the right
    bond_first,          // [R_left, I, J] (right bond 1): the right factor of W
    as_merged,           // [R_left, I_1, J_1, .., I_k, J_k, R_right]: the left factor of W
  };
  // A new contiguous tensor in that layout.
  Tensor arranged(Layout layout) const;

  // Gradients of the cores, given that of the arranged tensor, in that layout. Each can be written
  // straight into its place; the merged core itself is not kept.
  std::vector<Gradient> gradients(const Tensor& d_arranged, Layout layout) const;

 private:
  std::vector<int> order(Layout layout) const;
  View digits(const View& merged) const;

  std::vector<Tensor> cores_;  // in the accumulator type
  Backend* backend_;
  DType dtype_;
  std::int64_t in_ = 1, out_ = 1, left_ = 1, right_ = 1;
};

}  // namespace ty
