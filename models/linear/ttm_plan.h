// How a TTM layer is executed: data that the planner chooses and the functions beside it follow.
//
// W stands for the matrix that the cores make. A chain contracts the input with groups of merged
// cores one after the other and never makes W; every contiguous grouping is a plan, from {1, 1, 1}
// (one core at a time) to {N}. A dense pass makes W, some columns at a time, and multiplies by it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "models/linear/ttm_shape.h"

namespace ty {

// W [in, out] by its cores; the shape's modes may multiply to more (zero padding).
struct TtmMap {
  TtmShape shape;
  std::int64_t in = 0;
  std::int64_t out = 0;
};

enum class Direction : std::uint8_t { forward, backward };
enum class ChainOrder : std::uint8_t { from_left, from_right };

struct ChainPass {
  std::vector<int> groups;  // cores per group, left to right
  ChainOrder order = ChainOrder::from_right;
  std::int64_t tokens = 0;  // of the input taken through the chain at a time; 0: all

  friend bool operator==(const ChainPass&, const ChainPass&) = default;
};

struct DensePass {
  int split = 1;   // W = (cores left of the split) x (the others), one product
  int panels = 1;  // W's columns are made in so many parts; divides J_1

  friend bool operator==(const DensePass&, const DensePass&) = default;
};

using TtmPass = std::variant<ChainPass, DensePass>;

// Backward as a chain ("full einsum") makes the states of its own chain again; dense ("full
// matrix") makes W and dW. Both keep only the layer's input.
struct TtmPlan {
  TtmPass forward = DensePass{};
  TtmPass backward = DensePass{};

  friend bool operator==(const TtmPlan&, const TtmPlan&) = default;
};

// "chain {2, 1} from right, 64 tokens" or "dense 1 | 2, 4 panels"
std::string to_string(const TtmPass& pass);

}  // namespace ty
