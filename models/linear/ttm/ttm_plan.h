// How a TTM layer is executed, as data: chosen by the planner, followed by the functions that run a
// pass.
//
// W is the matrix that the cores represent. A chain contracts the input with one group of merged
// cores after another and never forms W; every contiguous grouping is a plan, from {1, 1, 1} (one
// core at a time) to {N}. A dense pass forms W, some columns at a time, and multiplies by it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/linear/ttm/ttm_shape.h"

namespace ty {

// W [in, out] in terms of its cores; the products of the modes may be larger (zero padding).
struct TtmLayer {
  TtmShape shape;
  std::int64_t in = 0;
  std::int64_t out = 0;
};

// W^T.
TtmLayer transposed(const TtmLayer& layer);

enum class ChainOrder : std::uint8_t { from_left, from_right };

struct ChainPass {
  std::vector<int> groups;  // cores per group, left to right
  ChainOrder order = ChainOrder::from_right;
  std::int64_t tokens = 0;  // tokens that go through the chain at a time; 0: all
  std::int64_t wide = 0;    // fewest columns for a step to use columns; 0: all steps use rows

  friend bool operator==(const ChainPass&, const ChainPass&) = default;
};

struct DensePass {
  int split = 1;   // number of cores in A, where W = A B is one product of two merged groups
  int panels = 1;  // number of parts in which W's columns are formed; divides J_1

  friend bool operator==(const DensePass&, const DensePass&) = default;
};

using TtmPass = std::variant<ChainPass, DensePass>;

// How to compute the gradients of the cores and of the input; the latter in the same pass, or in a
// separate forward pass of W^T. A chain ("full einsum") recomputes its states; dense ("full
// matrix") forms W and dW. A chain for the input with dW for the cores is cheapest where a chain
// saves work, but not enough to go through its states twice more. All variants keep only the
// layer's input.
struct BackwardPass {
  TtmPass cores = DensePass{};
  std::optional<TtmPass> input = std::nullopt;

  friend bool operator==(const BackwardPass&, const BackwardPass&) = default;
};

struct TtmPlan {
  TtmPass forward = DensePass{};
  BackwardPass backward = {};

  friend bool operator==(const TtmPlan&, const TtmPlan&) = default;
};

// "chain {2, 1} from right, 64 tokens at a time" or "dense, split 1, 4 panels"
std::string to_string(const TtmPass& pass);
std::string to_string(const BackwardPass& pass);

}  // namespace ty
