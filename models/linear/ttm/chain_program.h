// The steps of a TTM chain as data: which axes a state has, and in what order, before and after
// each product.
//
// A step contracts the I of one group and the bond, and replaces them by the group's J and the next
// bond. There are two forms. With rows, the contracted pair is innermost, and a step is one product
// with the factor on the right. With columns, other axes follow the pair, the factor is on the
// left, and there is one product for every combination of the axes before the pair (an item):
//   from the left   [B, I_n .. I_g, bond, J_{g-1} .. J_1]
//   from the right  [B, J_n .. J_{g+1}, bond, I_g .. I_1]
// The result of such a step is laid out as the next step of the same form needs it, so no element
// is moved between them; such moves would dominate in a chain whose states are much wider than its
// input. Rows are for steps with few columns, whose products would be thin.
//
// Cores (1, 4, 2, 6) (6, 3, 5, 1), from the left; the bars show the contracted or produced pair:
//              with rows                           second step with columns
//   x          [B, I_1 4, I_2 3]                   the same
//   operand 1  [B, I_2 3 | I_1 4]          copied  the same
//   result 1   [B, I_2 3 | J_1 2, R 6]             [B, I_2 3 | R 6, J_1 2]
//   operand 2  [B, J_1 2 | I_2 3, R 6]     copied  [B | I_2 3, R 6 | J_1 2]   is result 1
//   result 2   [B, J_1 2 | J_2 5]          is y    [B | J_2 5 | J_1 2]        copied to y
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
  ChainAxes source;   // as left by the previous step
  ChainAxes operand;  // the same in another order: [.., the group's I and the bond, ..]
  ChainAxes result;   // [.., the group's J and the next bond, ..]
  std::int64_t contracted = 0, produced = 0;
  std::int64_t columns = 1;  // 1: rows
  // Whether the bond precedes I in the operand, and J in the result.
  bool bond_before_in = false, bond_before_out = false;
};

struct ChainProgram {
  std::vector<ChainStep> steps;
  ChainAxes output;  // [B, J_1 .. J_n]
};

// Throws InternalError unless the groups cover all cores.
ChainProgram chain_program(const TtmShape& shape, const ChainPass& pass);

// The axes [B, I_1 .. I_n] and [B, J_1 .. J_n] of a shape whose cores are merged into groups.
ChainAxes input_axes(const TtmShape& shape, const std::vector<int>& groups);
ChainAxes output_axes(const TtmShape& shape, const std::vector<int>& groups);
// The ranks of the bonds between groups, with both ends: R_0 .. R_n.
std::vector<std::int64_t> bonds_of(const TtmShape& shape, const std::vector<int>& groups);

// Whether the two orders differ in axes that have more than one element.
bool moves_elements(const ChainAxes& from, const ChainAxes& to);
// The number of elements per row.
std::int64_t row_size(const ChainAxes& axes);
// The sizes of the axes, with `rows` for the row axis.
Shape shape_of(const ChainAxes& axes, std::int64_t rows);
// order[i]: the position in `from` of axis i of `to`.
std::vector<int> permutation(const ChainAxes& from, const ChainAxes& to);

}  // namespace ty
