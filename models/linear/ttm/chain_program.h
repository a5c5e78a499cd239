// The steps of a TTM chain as data: which axes a state has, and in what order, before and after
// each product.
//
// A step contracts one group's I and the bond, and puts the group's J and the next bond in their
// place. There are two forms. With rows, the contracted pair stands last, and a step is one product
// with the factor on the right. With columns, other axes stand behind the pair, the factor is on
// the left, and there is one product for every combination of the axes before it (an item):
//   from the left   [B, I_n .. I_g, bond, J_{g-1} .. J_1]
//   from the right  [B, J_n .. J_{g+1}, bond, I_g .. I_1]
// What such a step makes is what the next one of its form needs: no element changes its place
// between them, which costs more than all else in a chain whose states are much wider than its
// input. Rows are for steps with few columns, whose products would be thin.
#pragma once

#include <vector>

#include "core/base/view.h"
#include "models/linear/ttm/ttm_plan.h"
#include "models/linear/ttm/ttm_shape.h"

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

// result [items, produced, columns] = F^T operand [items, contracted, columns], with the group's
// factor F [contracted, produced].
struct ChainStep {
  int group = 0;
  ChainAxes source;   // as the step before left it
  ChainAxes operand;  // the same in another order: [.., the group's I and the bond, ..]
  ChainAxes result;   // [.., the group's J and the next bond, ..]
  std::int64_t contracted = 0, produced = 0;
  std::int64_t columns = 1;  // 1: rows
  // Whether the bond stands before I in the operand, and before J in the result.
  bool bond_before_in = false, bond_before_out = false;
};

struct ChainProgram {
  std::vector<ChainStep> steps;
  ChainAxes output;  // [B, J_1 .. J_n]
};

// Throws InternalError if the groups do not cover the cores.
ChainProgram chain_program(const TtmShape& shape, const ChainPass& pass);

// The axes [B, I_1 .. I_n] and [B, J_1 .. J_n] of a shape whose cores are merged in groups.
ChainAxes input_axes(const TtmShape& shape, const std::vector<int>& groups);
ChainAxes output_axes(const TtmShape& shape, const std::vector<int>& groups);
// The rank of the bond left of each group, and at last that right of all: R_0 .. R_n.
std::vector<std::int64_t> bonds_of(const TtmShape& shape, const std::vector<int>& groups);

// A different order of axes that have more than one element.
bool moves_elements(const ChainAxes& from, const ChainAxes& to);
// Numbers per row.
std::int64_t row_size(const ChainAxes& axes);
// Sizes with `rows` filled in.
Shape shape_of(const ChainAxes& axes, std::int64_t rows);
// order[i]: where in `from` axis i of `to` stands.
std::vector<int> permutation(const ChainAxes& from, const ChainAxes& to);

}  // namespace ty
