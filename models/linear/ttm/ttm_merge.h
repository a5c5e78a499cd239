// Neighbouring cores contracted over the bonds between them, and the way back for gradients.
//
// A merged core keeps its modes interleaved, [R_first, n_1 .. n_k, R_last] with n = I J, because
// then every step is one matrix product. Arithmetic is in the accumulator type (fp32, or fp64 for
// fp64 cores), whatever the cores' own type.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/autograd/graph.h"

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

  // A new tensor, the merged core as it comes out: [R_left, I_1, J_1, .., I_k, J_k, R_right].
  Tensor merged() const;
  // Gradients of the cores, given that of merged(). Each can be written straight into its place;
  // the merged core itself is not kept.
  std::vector<Gradient> gradients(const Tensor& d_merged) const;

  // The order in which a group stands as an operand of products, each part with all its digits.
  enum class Part : std::uint8_t { left, in, out, right };
  using Layout = std::array<Part, 4>;
  // A new contiguous tensor in that layout, and the way back.
  Tensor arranged(const Layout& layout) const;
  std::vector<Gradient> gradients(const Tensor& d_arranged, const Layout& layout) const;

 private:
  std::vector<int> order(const Layout& layout) const;
  View digits(const View& merged) const;

  std::vector<Tensor> cores_;  // in the accumulator type
  Backend* backend_;
  DType dtype_;
  std::int64_t in_ = 1, out_ = 1, left_ = 1, right_ = 1;
};

}  // namespace ty
