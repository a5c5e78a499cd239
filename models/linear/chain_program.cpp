#include "models/linear/chain_program.h"

#include <algorithm>
#include <numeric>

#include "core/base/error.h"

namespace ty {

namespace {

using Kind = ChainAxis::Kind;

std::int64_t product(const std::vector<std::int64_t>& x, int first, int count) {
  return std::accumulate(x.begin() + first, x.begin() + first + count, std::int64_t{1},
                         std::multiplies<>());
}

// The axes of one kind, but not that of `except`, in the order of their groups.
void append_sorted(ChainAxes& to, const ChainAxes& from, Kind kind, int except = -1) {
  const auto first = static_cast<std::ptrdiff_t>(to.size());
  for (const ChainAxis& axis : from) {
    if (axis.kind == kind && axis.group != except) to.push_back(axis);
  }
  std::sort(to.begin() + first, to.end(),
            [](const ChainAxis& a, const ChainAxis& b) { return a.group < b.group; });
}

}  // namespace

ChainProgram chain_program(const TtmShape& shape, const ChainPass& pass) {
  const int groups = static_cast<int>(pass.groups.size());
  TY_CHECK(std::accumulate(pass.groups.begin(), pass.groups.end(), 0) == shape.num_cores() &&
               std::all_of(pass.groups.begin(), pass.groups.end(), [](int n) { return n > 0; }),
           "{} does not group {} cores", to_string(TtmPass{pass}), shape.num_cores());
  ChainAxes state = {{Kind::rows, 0, 0}};
  std::vector<std::int64_t> outs, left_ranks;  // per group; bond g stands left of group g
  for (int g = 0, core = 0; g < groups; core += pass.groups[static_cast<std::size_t>(g++)]) {
    const int count = pass.groups[static_cast<std::size_t>(g)];
    state.push_back({Kind::in, g, product(shape.in, core, count)});
    outs.push_back(product(shape.out, core, count));
    left_ranks.push_back(shape.ranks[static_cast<std::size_t>(core)]);
  }
  left_ranks.push_back(1);

  const bool from_left = pass.order == ChainOrder::from_left;
  ChainProgram program;
  for (int s = 0; s < groups; ++s) {
    const int g = from_left ? s : groups - 1 - s;
    ChainStep step;
    step.group = g;
    step.source = state;
    step.operand = {state[0]};
    append_sorted(step.operand, state, Kind::out);
    append_sorted(step.operand, state, Kind::in, g);
    const auto own = std::find_if(state.begin(), state.end(), [&](const ChainAxis& axis) {
      return axis.kind == Kind::in && axis.group == g;
    });
    step.result = step.operand;
    step.operand.push_back(*own);
    const auto at = static_cast<std::size_t>(g);
    step.contracted = own->size * left_ranks[from_left ? at : at + 1];
    const std::int64_t next = left_ranks[from_left ? at + 1 : at];
    step.columns = outs[at] * next;
    append_sorted(step.operand, state, Kind::bond);
    step.result.push_back({Kind::out, g, outs[at]});
    if (s + 1 < groups) step.result.push_back({Kind::bond, g, next});
    state = step.result;
    program.steps.push_back(std::move(step));
  }
  program.output = {state[0]};
  append_sorted(program.output, state, Kind::out);
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
