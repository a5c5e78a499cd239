// The baseline: a chain as recorded operations, each keeping its operands. It is what an einsum per
// group comes to: the group's I and the bond are brought to the end, the rest keeps the order of J
// and I, and one matrix product takes the group in.
#include <algorithm>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/linear/ttm/chain_program.h"
#include "models/linear/ttm/ttm_function.h"

namespace ty {

namespace {

// Cores [R, I_1, J_1 .. I_k, J_k, R'] in one tensor.
Tensor merged(std::span<const Tensor> cores) {
  Shape digits = {cores[0].dim(0)};
  Tensor product = cores[0];
  for (std::size_t k = 0; k < cores.size(); ++k) {
    digits.push_back(cores[k].dim(1));
    digits.push_back(cores[k].dim(2));
    const std::int64_t bond = cores[k].dim(0);
    if (k > 0) product = matmul(reshape(product, {-1, bond}), reshape(cores[k], {bond, -1}));
  }
  digits.push_back(cores.back().dim(3));
  return reshape(product, digits);
}

using Kind = ChainAxis::Kind;

// A group as the right operand of a product: [I R, J R'].
Tensor factor(std::span<const Tensor> cores, ChainOrder order) {
  const int k = static_cast<int>(cores.size());
  const int left = 0, right = 2 * k + 1;
  std::vector<int> axes;
  std::int64_t contracted = cores[0].dim(0);
  if (order == ChainOrder::from_right) contracted = cores.back().dim(3);
  for (int i = 0; i < k; ++i) {
    axes.push_back(1 + 2 * i);
    contracted *= cores[static_cast<std::size_t>(i)].dim(1);
  }
  axes.push_back(order == ChainOrder::from_left ? left : right);
  for (int i = 0; i < k; ++i) axes.push_back(2 + 2 * i);
  axes.push_back(order == ChainOrder::from_left ? right : left);
  return reshape(contiguous(permute(merged(cores), axes)), {contracted, -1});
}

// [B, J of groups done, I of groups to come but `group`], then that group's I and the bond.
ChainAxes operand_axes(const ChainAxes& state, int group) {
  ChainAxes result = state;
  const auto place = [&](const ChainAxis& axis) {
    const int kind = axis.kind == Kind::rows ? 0 : axis.kind == Kind::out ? 1 : 2;
    const bool own = axis.kind == Kind::in && axis.group == group;
    return std::pair{axis.kind == Kind::bond ? 4 : own ? 3 : kind, axis.group};
  };
  std::sort(result.begin(), result.end(),
            [&](const ChainAxis& a, const ChainAxis& b) { return place(a) < place(b); });
  return result;
}

Tensor moved(const Tensor& x, const ChainAxes& from, const ChainAxes& to, std::int64_t rows) {
  if (!moves_elements(from, to)) return x;
  return contiguous(permute(reshape(x, shape_of(from, rows)), permutation(from, to)));
}

}  // namespace

Tensor ttm_linear_recorded(const Tensor& x, std::span<const Tensor> cores, const Tensor& bias,
                           const TtmLayer& layer, const ChainPass& pass) {
  if (layer.in != layer.shape.padded_in() || layer.out != layer.shape.padded_out()) {
    throw ShapeError("ttm_linear_recorded: {} has padding", to_string(layer.shape));
  }
  const std::int64_t rows = x.numel() / layer.in;
  std::vector<std::span<const Tensor>> groups;
  for (const int count : pass.groups) {
    groups.push_back(cores.first(static_cast<std::size_t>(count)));
    cores = cores.subspan(static_cast<std::size_t>(count));
  }
  const ChainAxes outs = output_axes(layer.shape, pass.groups);
  const std::vector<std::int64_t> bonds = bonds_of(layer.shape, pass.groups);
  const bool from_left = pass.order == ChainOrder::from_left;
  const int n = static_cast<int>(groups.size());
  ChainAxes axes = input_axes(layer.shape, pass.groups);
  Tensor state = x;
  for (int s = 0; s < n; ++s) {
    const int g = from_left ? s : n - 1 - s, bond = from_left ? g + 1 : g;
    const ChainAxes operand = operand_axes(axes, g);
    const Tensor f = factor(groups[static_cast<std::size_t>(g)], pass.order);
    state = matmul(reshape(moved(state, axes, operand, rows), {-1, f.dim(0)}), f);
    axes = operand;
    if (s > 0) axes.pop_back();  // the bond
    axes.back() = outs[static_cast<std::size_t>(g) + 1];
    if (s + 1 < n) axes.push_back({Kind::bond, bond, bonds[static_cast<std::size_t>(bond)]});
  }
  state = moved(state, axes, outs, rows);
  Shape shape = x.shape();
  shape[-1] = layer.out;
  state = reshape(state, shape);
  return bias.defined() ? add(state, bias) : state;
}

}  // namespace ty
