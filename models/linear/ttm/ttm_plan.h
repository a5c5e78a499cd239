// How a TTM layer is executed: data that the planner chooses and the functions beside it follow.
//
// W stands for the matrix that the cores make. A chain contracts the input with groups of merged
// cores one after the other and never makes W; every contiguous grouping is a plan, from {1, 1, 1}
// (one core at a time) to {N}. A dense pass makes W, some columns at a time, and multiplies by it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/linear/ttm/ttm_shape.h"

namespace ty {

// W [in, out] by its cores; the shape's modes may multiply to more (zero padding).
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
  std::int64_t tokens = 0;  // of the input taken through the chain at a time; 0: all
  std::int64_t wide = 0;    // least number of columns of steps with columns; 0: all with rows

  friend bool operator==(const ChainPass&, const ChainPass&) = default;
};

struct DensePass {
  int split = 1;   // W = (cores left of the split) x (the others), one product
  int panels = 1;  // W's columns are made in so many parts; divides J_1

  friend bool operator==(const DensePass&, const DensePass&) = default;
};

using TtmPass = std::variant<ChainPass, DensePass>;

// The gradients of the cores, and of the input: with them, or by a pass of its own, a forward pass
// of W^T. A chain ("full einsum") makes its states again, dense ("full matrix") makes W and dW; a
// chain for the input and dW for the cores have the least work where a chain saves some of it, but
// not enough to go through its states twice more. All keep only the layer's input.
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
