// The steps of a TTM chain as data: which axes a state has, and in what order, before and after
// each product.
//
// A state of B rows has the axes [B, J of groups done, I of groups to come, bond]. Each step brings
// the next group's I and the bond to the end (a permuting copy, unless they stand there already)
// and multiplies by that group. The executor, the recorded baseline and the cost model all read
// this program.
#pragma once

#include <vector>

#include "core/base/view.h"
#include "models/linear/ttm_plan.h"
#include "models/linear/ttm_shape.h"

namespace ty {

struct ChainAxis {
  enum class Kind : std::uint8_t { rows, out, in, bond };
  Kind kind = Kind::rows;
  int group = 0;
  std::int64_t size = 0;  // 0 for rows: known when the chain runs

  bool is_same_place(const ChainAxis& other) const {
    return kind == other.kind && group == other.group;
  }
};
using ChainAxes = std::vector<ChainAxis>;

struct ChainStep {
  int group = 0;
  ChainAxes source;             // as the step before left it
  ChainAxes operand;            // what is multiplied: [.., I, R]
  ChainAxes result;             // [.., J, R']
  std::int64_t contracted = 0;  // I R
  std::int64_t columns = 0;     // J R'
};

struct ChainProgram {
  std::vector<ChainStep> steps;
  ChainAxes output;  // [B, J_1 .. J_g]
};

// Throws InternalError if the groups do not cover the cores.
ChainProgram chain_program(const TtmShape& shape, const ChainPass& pass);

// A different order of axes that have more than one element.
bool moves_elements(const ChainAxes& from, const ChainAxes& to);
// Numbers per row.
std::int64_t row_size(const ChainAxes& axes);
// Sizes with `rows` filled in.
Shape shape_of(const ChainAxes& axes, std::int64_t rows);
// order[i]: where in `from` axis i of `to` stands.
std::vector<int> permutation(const ChainAxes& from, const ChainAxes& to);

}  // namespace ty
