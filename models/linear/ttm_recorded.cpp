// The baseline: the chain of ttm_chain.h as recorded operations, each keeping its operands.
#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/linear/chain_program.h"
#include "models/linear/ttm_function.h"

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

// A group as the right operand of a step: [I R, J R'].
Tensor factor(std::span<const Tensor> cores, const ChainStep& step, ChainOrder order) {
  const int k = static_cast<int>(cores.size());
  const int left = 0, right = 2 * k + 1;
  std::vector<int> axes;
  for (int i = 0; i < k; ++i) axes.push_back(1 + 2 * i);
  axes.push_back(order == ChainOrder::from_left ? left : right);
  for (int i = 0; i < k; ++i) axes.push_back(2 + 2 * i);
  axes.push_back(order == ChainOrder::from_left ? right : left);
  return reshape(contiguous(permute(merged(cores), axes)), {step.contracted, step.columns});
}

Tensor moved(const Tensor& x, const ChainAxes& from, const ChainAxes& to, std::int64_t rows) {
  if (!moves_elements(from, to)) return x;
  return contiguous(permute(reshape(x, shape_of(from, rows)), permutation(from, to)));
}

}  // namespace

Tensor ttm_linear_recorded(const Tensor& x, std::span<const Tensor> cores, const Tensor& bias,
                           const TtmMap& map, const ChainPass& pass) {
  if (map.in != map.shape.padded_in() || map.out != map.shape.padded_out()) {
    throw ShapeError("ttm_linear_recorded: {} has padding", to_string(map.shape));
  }
  const ChainProgram program = chain_program(map.shape, pass);
  const std::int64_t rows = x.numel() / map.in;
  std::vector<std::span<const Tensor>> groups;
  for (const int count : pass.groups) {
    groups.push_back(cores.first(static_cast<std::size_t>(count)));
    cores = cores.subspan(static_cast<std::size_t>(count));
  }
  Tensor state = x;
  for (const ChainStep& step : program.steps) {
    state = reshape(moved(state, step.source, step.operand, rows), {-1, step.contracted});
    state = matmul(state, factor(groups[static_cast<std::size_t>(step.group)], step, pass.order));
  }
  state = moved(state, program.steps.back().result, program.output, rows);
  Shape shape = x.shape();
  shape[-1] = map.out;
  state = reshape(state, shape);
  return bias.defined() ? add(state, bias) : state;
}

}  // namespace ty
