// Neighbouring cores contracted over the bonds between them, and the gradients of the cores.
//
// A merged core keeps its modes interleaved, [R_first, n_1 .. n_k, R_last] with n = I J, because
// every step is then one matrix product:
//   (R_0, n_1, R_1) (R_1, n_2, R_2):   [R_0 n_1, R_1] x [R_1, n_2 R_2] = [R_0 n_1, n_2 R_2]
// Arithmetic is in the accumulator type (fp32, or fp64 for fp64 cores), whatever the cores' own
// type.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "core/autograd/graph.h"

namespace ty {

class MergedCores {
 public:
  // cores: consecutive ones, each [R_{k-1}, I_k, J_k, R_k]; an empty list stands for the number 1.
  MergedCores(std::span<const Tensor> cores, Backend& backend, DType dtype);

  std::int64_t in() const { return in_; }        // product of the I_k
  std::int64_t out() const { return out_; }      // product of the J_k
  std::int64_t left() const { return left_; }    // rank of the leftmost bond
  std::int64_t right() const { return right_; }  // rank of the rightmost bond
  const std::vector<Tensor>& cores() const { return cores_; }

  // The merged core as a new tensor: [R_left, I_1, J_1, .., I_k, J_k, R_right].
  Tensor merged() const;
  // Gradients of the cores, given that of merged(). Each can be written directly into its buffer;
  // the merged core itself is not kept.
  std::vector<Gradient> gradients(const Tensor& d_merged) const;

  // The order of a group's dimensions as an operand of products; each part includes all its modes.
  enum class Part : std::uint8_t { left, in, out, right };
  using Layout = std::array<Part, 4>;
  // The merged core as a new contiguous tensor in that layout, and gradients from that layout.
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
