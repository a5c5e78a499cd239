#include "models/linear/ttm_chain.h"

#include <algorithm>

namespace ty {

namespace {

MergedCores::Layout layout_of(const ChainPass& pass) {
  return pass.order == ChainOrder::from_left ? MergedCores::Layout::in_left__out_right
                                             : MergedCores::Layout::in_right__out_left;
}

// A contiguous view as a matrix with so many columns.
View matrix(const View& x, std::int64_t columns) {
  return x.reshape({x.numel() / columns, columns});
}

}  // namespace

TtmChain::TtmChain(std::span<const Tensor> cores, const TtmShape& shape, const ChainPass& pass,
                   Backend& backend, DType dtype)
    : pass_(pass),
      program_(chain_program(shape, pass)),
      padded_in_(shape.padded_in()),
      padded_out_(shape.padded_out()),
      backend_(&backend),
      dtype_(dtype) {
  std::size_t first = 0;
  for (const int count : pass.groups) {
    groups_.emplace_back(cores.subspan(first, static_cast<std::size_t>(count)), backend, dtype);
    factors_.push_back(groups_.back().arranged(layout_of(pass)));
    first += static_cast<std::size_t>(count);
  }
  for (const ChainStep& step : program_.steps) {
    Tensor& factor = factors_[static_cast<std::size_t>(step.group)];
    factor = factor.alias(factor.view().reshape({step.contracted, step.columns}));
  }
}

std::int64_t TtmChain::piece(std::int64_t rows) const {
  return pass_.tokens == 0 ? std::max<std::int64_t>(rows, 1) : pass_.tokens;
}

TtmChain::State TtmChain::empty(std::int64_t rows, std::int64_t columns) const {
  Tensor owner = Tensor::empty(*backend_, {rows, columns}, dtype_);
  return {owner.view(), owner};
}

TtmChain::State TtmChain::load(const View& x, std::int64_t padded) const {
  const std::int64_t width = x.shape[1];
  if (x.dtype == dtype_ && width == padded && x.is_contiguous()) return {x, Tensor()};
  State rows = empty(x.shape[0], padded);
  if (padded > width) backend_->fill(rows.view.slice(1, width, padded - width), 0.0);
  backend_->copy(rows.view.slice(1, 0, width), x);
  return rows;
}

TtmChain::State TtmChain::moved(State x, const ChainAxes& from, const ChainAxes& to) const {
  if (!moves_elements(from, to)) return x;
  const std::int64_t rows = x.view.numel() / row_size(from);
  State y = empty(rows, row_size(to));
  store(y.view, x, from, to);
  return y;
}

void TtmChain::store(const View& y, const State& x, const ChainAxes& from,
                     const ChainAxes& to) const {
  const std::int64_t rows = y.shape[0], width = row_size(to);
  const View source = x.view.reshape(shape_of(from, rows)).permute(permutation(from, to));
  if (y.shape[1] == width && y.is_contiguous()) {
    return backend_->copy(y.reshape(shape_of(to, rows)), source);
  }
  const State whole = empty(rows, width);
  backend_->copy(whole.view.reshape(shape_of(to, rows)), source);
  backend_->copy(y, whole.view.slice(1, 0, y.shape[1]));
}

bool TtmChain::lies_in(const View& y, const ChainAxes& from, const ChainAxes& to) const {
  return y.dtype == dtype_ && y.shape[1] == row_size(to) && y.is_contiguous() &&
         !moves_elements(from, to);
}

std::vector<TtmChain::State> TtmChain::operands_of(const View& x) const {
  std::vector<State> operands;
  State state = load(x, padded_in_);
  for (const ChainStep& step : program_.steps) {
    State operand = moved(std::move(state), step.source, step.operand);
    operand.view = matrix(operand.view, step.contracted);
    if (&step != &program_.steps.back()) {
      state = empty(operand.view.shape[0], step.columns);
      backend_->gemm(state.view, operand.view, factor(step).view(), {});
    }
    operands.push_back(std::move(operand));
  }
  return operands;
}

void TtmChain::forward(const View& y, const View& x) const {
  const std::int64_t rows = x.shape[0];
  const ChainStep& step = program_.steps.back();
  for (std::int64_t first = 0; first < rows; first += piece(rows)) {
    const std::int64_t count = std::min(piece(rows), rows - first);
    const View out = y.slice(0, first, count);
    const bool direct = lies_in(out, step.result, program_.output);
    const State operand = operands_of(x.slice(0, first, count)).back();
    const State result = direct ? State{out, Tensor()} : empty(count, padded_out_);
    backend_->gemm(matrix(result.view, step.columns), operand.view, factor(step).view(), {});
    if (!direct) store(out, result, step.result, program_.output);
  }
}

std::vector<Gradient> TtmChain::backward(const View& dx, const View& dy, const View& x) const {
  std::vector<Tensor> d_factors;
  for (const Tensor& each : factors_) d_factors.push_back(Tensor::empty_like(each));
  const std::int64_t rows = x.shape[0];
  for (std::int64_t first = 0; first < rows; first += piece(rows)) {
    const std::int64_t count = std::min(piece(rows), rows - first);
    std::vector<State> operands = operands_of(x.slice(0, first, count));
    State d_state = load(dy.slice(0, first, count), padded_out_);
    const ChainAxes* axes = &program_.output;
    for (std::size_t s = program_.steps.size(); s-- > 0;) {
      const ChainStep& step = program_.steps[s];
      const State d_result = moved(std::move(d_state), *axes, step.result);
      const View d_product = matrix(d_result.view, step.columns);
      backend_->gemm(d_factors[static_cast<std::size_t>(step.group)].view(),
                     operands[s].view.transpose(0, 1), d_product, {.beta = first == 0 ? 0.0 : 1.0});
      operands.pop_back();
      if (s == 0 && dx.data == nullptr) break;
      const View d_input = s == 0 ? dx.slice(0, first, count) : View{};
      const bool direct = s == 0 && lies_in(d_input, step.operand, step.source);
      d_state = direct ? State{matrix(d_input, step.contracted), Tensor()}
                       : empty(d_product.shape[0], step.contracted);
      backend_->gemm(d_state.view, d_product, factor(step).view().transpose(0, 1), {});
      axes = &step.operand;
      if (s == 0 && !direct) store(d_input, d_state, *axes, step.source);
    }
  }
  if (rows == 0) {
    for (const Tensor& d_factor : d_factors) backend_->fill(d_factor.view(), 0.0);
  }
  std::vector<Gradient> result;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (Gradient& gradient : groups_[g].gradients(d_factors[g], layout_of(pass_))) {
      result.push_back(std::move(gradient));
    }
  }
  return result;
}

}  // namespace ty
