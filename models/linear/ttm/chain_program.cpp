#include "models/linear/ttm/chain_program.h"

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

using Kind = ChainAxis::Kind;

std::int64_t product(const std::vector<std::int64_t>& x, int first, int count) {
  return std::accumulate(x.begin() + first, x.begin() + first + count, std::int64_t{1},
                         std::multiplies<>());
}

// [B, then for each group the product of its modes].
ChainAxes axes_of(const std::vector<std::int64_t>& modes, const std::vector<int>& groups,
                  Kind kind) {
  ChainAxes axes = {{Kind::rows, 0, 0}};
  int core = 0;
  for (std::size_t g = 0; g < groups.size(); core += groups[g++]) {
    axes.push_back({kind, static_cast<int>(g), product(modes, core, groups[g])});
  }
  return axes;
}

// The axes of one kind, but not that of group `except`, in the order of their groups or against it.
ChainAxes of_kind(const ChainAxes& from, Kind kind, int except, bool reversed) {
  ChainAxes result;
  for (const ChainAxis& axis : from) {
    if (axis.kind == kind && axis.group != except) result.push_back(axis);
  }
  std::sort(result.begin(), result.end(), [&](const ChainAxis& a, const ChainAxis& b) {
    return reversed ? a.group > b.group : a.group < b.group;
  });
  return result;
}

ChainAxes joined(std::initializer_list<ChainAxes> parts) {
  ChainAxes result;
  for (const ChainAxes& part : parts) result.insert(result.end(), part.begin(), part.end());
  return result;
}

}  // namespace

ChainAxes input_axes(const TtmShape& shape, const std::vector<int>& groups) {
  return axes_of(shape.in, groups, Kind::in);
}

ChainAxes output_axes(const TtmShape& shape, const std::vector<int>& groups) {
  return axes_of(shape.out, groups, Kind::out);
}

std::vector<std::int64_t> bonds_of(const TtmShape& shape, const std::vector<int>& groups) {
  std::vector<std::int64_t> bonds = {1};
  std::size_t core = 0;
  for (const int count : groups)
    bonds.push_back(shape.ranks[core += static_cast<std::size_t>(count)]);
  return bonds;
}

ChainProgram chain_program(const TtmShape& shape, const ChainPass& pass) {
  const int groups = static_cast<int>(pass.groups.size());
  TY_CHECK(std::accumulate(pass.groups.begin(), pass.groups.end(), 0) == shape.num_cores() &&
               std::all_of(pass.groups.begin(), pass.groups.end(), [](int n) { return n > 0; }),
           "{} does not group {} cores", to_string(TtmPass{pass}), shape.num_cores());
  const ChainAxes in = input_axes(shape, pass.groups), out = output_axes(shape, pass.groups);
  const std::vector<std::int64_t> bonds = bonds_of(shape, pass.groups);
  const bool from_left = pass.order == ChainOrder::from_left;
  const auto bond = [&](int at) -> ChainAxes {
    if (at == 0 || at == groups) return {};
    return {{Kind::bond, at, bonds[static_cast<std::size_t>(at)]}};
  };
  const auto group_of = [&](int step) { return from_left ? step : groups - 1 - step; };
  // Whether a step is taken with columns: what stands left of its group is J done or I to come.
  const auto is_wide = [&](int step) {
    if (pass.wide == 0 || step < 0 || step >= groups) return false;
    const ChainAxes& left = from_left ? out : in;
    return row_size({left.begin() + 1, left.begin() + 1 + group_of(step)}) >= pass.wide;
  };

  ChainProgram program;
  ChainAxes state = in;
  for (int s = 0; s < groups; ++s) {
    const int g = group_of(s);
    const ChainAxes i = {in[static_cast<std::size_t>(g) + 1]};
    const ChainAxes j = {out[static_cast<std::size_t>(g) + 1]};
    const ChainAxes before = bond(from_left ? g : g + 1), after = bond(from_left ? g + 1 : g);
    ChainStep step;
    step.group = g;
    step.source = state;
    step.contracted = row_size(i) * row_size(before);
    step.produced = row_size(j) * row_size(after);
    // A step with rows makes what a neighbour with columns needs, or takes what it has made.
    const bool reversed = is_wide(s) || is_wide(from_left ? s + 1 : s - 1);
    step.bond_before_in = reversed && !from_left;
    step.bond_before_out = reversed && from_left;

    const ChainAxes done = of_kind(state, Kind::out, g, reversed);
    const ChainAxes coming = of_kind(state, Kind::in, g, reversed);
    const bool done_first = !reversed || !from_left;
    ChainAxes items = done_first ? done : coming, columns = done_first ? coming : done;
    if (!is_wide(s)) items = joined({items, std::exchange(columns, {})});
    step.columns = row_size(columns);
    const auto pair = [](const ChainAxes& mode, const ChainAxes& rank, bool rank_first) {
      return rank_first ? joined({rank, mode}) : joined({mode, rank});
    };
    step.operand = joined({{state[0]}, items, pair(i, before, step.bond_before_in), columns});
    step.result = joined({{state[0]}, items, pair(j, after, step.bond_before_out), columns});
    state = step.result;
    program.steps.push_back(std::move(step));
  }
  program.output = out;
  return program;
}

bool moves_elements(const ChainAxes& from, const ChainAxes& to) {
  ChainAxes a, b;
  const auto matters = [](const ChainAxis& axis) { return axis.size != 1; };
  std::copy_if(from.begin(), from.end(), std::back_inserter(a), matters);
  std::copy_if(to.begin(), to.end(), std::back_inserter(b), matters);
  return !std::equal(a.begin(), a.end(), b.begin(), b.end(),
                     [](const ChainAxis& x, const ChainAxis& y) { return x.is_same_place(y); });
}

std::int64_t row_size(const ChainAxes& axes) { return shape_of(axes, 1).numel(); }

Shape shape_of(const ChainAxes& axes, std::int64_t rows) {
  Shape shape;
  for (const ChainAxis& axis : axes) shape.push_back(axis.kind == Kind::rows ? rows : axis.size);
  return shape;
}

std::vector<int> permutation(const ChainAxes& from, const ChainAxes& to) {
  std::vector<int> order;
  for (const ChainAxis& axis : to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i].is_same_place(axis)) order.push_back(static_cast<int>(i));
    }
  }
  return order;
}

}  // namespace ty
