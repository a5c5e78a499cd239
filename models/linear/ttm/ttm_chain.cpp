#include "models/linear/ttm/ttm_chain.h"

#include <algorithm>
#include <utility>

#include "core/base/rounding.h"
#include "models/linear/ttm/shares.h"

namespace ty {

namespace {

using Part = MergedCores::Part;

constexpr std::int64_t kFewPieces = 4;  // if the rows are enough

// How a group's factor lies, so that no product has to turn it on the way forward.
MergedCores::Layout layout_of(const ChainStep& step, ChainOrder order) {
  const bool from_left = order == ChainOrder::from_left;
  std::array<Part, 2> contracted = {Part::in, from_left ? Part::left : Part::right};
  std::array<Part, 2> produced = {Part::out, from_left ? Part::right : Part::left};
  if (step.bond_before_in) std::swap(contracted[0], contracted[1]);
  if (step.bond_before_out) std::swap(produced[0], produced[1]);
  if (step.columns > 1) std::swap(contracted, produced);
  return {contracted[0], contracted[1], produced[0], produced[1]};
}

// The matrices of a step in an operand or result: one [items, size], or items of [size, columns].
View matrices(const ChainStep& step, const View& state, std::int64_t size) {
  const std::int64_t items = state.numel() / (size * step.columns);
  if (step.columns == 1) return state.reshape({items, size});
  return state.reshape({items, size, step.columns});
}

}  // namespace

TtmChain::TtmChain(std::span<const Tensor> cores, const TtmShape& shape, const ChainPass& pass,
                   Backend& backend, DType dtype)
    : program_(chain_program(shape, pass)),
      tokens_(pass.tokens),
      layouts_(pass.groups.size()),
      factors_(pass.groups.size()),
      backend_(&backend),
      dtype_(dtype) {
  std::size_t first = 0;
  for (const int count : pass.groups) {
    groups_.emplace_back(cores.subspan(first, static_cast<std::size_t>(count)), backend, dtype);
    first += static_cast<std::size_t>(count);
  }
  for (const ChainStep& step : program_.steps) {
    const auto g = static_cast<std::size_t>(step.group);
    layouts_[g] = layout_of(step, pass.order);
    const Tensor whole = groups_[g].arranged(layouts_[g]);
    const Shape matrix = step.columns == 1 ? Shape{step.contracted, step.produced}
                                           : Shape{step.produced, step.contracted};
    factors_[g] = whole.alias(whole.view().reshape(matrix));
  }
}

View TtmChain::Room::next_state(std::int64_t rows, std::int64_t width) {
  last ^= 1;
  return states[last].view().slice(0, 0, rows * width).reshape({rows, width});
}

TtmChain::Room TtmChain::room(std::int64_t rows, bool loads) const {
  const auto numbers = [&](std::int64_t n) { return Tensor::empty(*backend_, {n}, dtype_); };
  Room room;
  std::int64_t widest = std::max(row_size(program_.steps[0].source), row_size(program_.output));
  for (const ChainStep& step : program_.steps) {
    const bool is_x = room.operands.empty() && !loads;
    room.operands.push_back(is_x ? Tensor() : numbers(rows * row_size(step.operand)));
    widest = std::max({widest, row_size(step.operand), row_size(step.result)});
  }
  for (Tensor& state : room.states) state = numbers(rows * widest);
  return room;
}

std::int64_t TtmChain::num_pieces(std::int64_t rows) const {
  const std::int64_t least = backend_->work_shape().least_rows;
  if (tokens_ == 0 || rows < 2 * least) return 1;
  return std::max(divided_up(rows, tokens_), std::min(kFewPieces, rows / least));
}

std::int64_t TtmChain::num_sums(std::int64_t rows) const {
  std::int64_t numbers = 0;
  for (const ChainStep& step : program_.steps) numbers += factor(step).numel();
  const std::int64_t matrix = row_size(program_.steps[0].source) * row_size(program_.output);
  return std::min(num_pieces(rows), num_shares(matrix, numbers));
}

void TtmChain::in_pieces(const View& x, std::int64_t shares,
                         const std::function<void(Room&, const Piece&)>& work) const {
  const std::int64_t rows = x.shape[0], pieces = num_pieces(rows);
  const std::int64_t workers = std::min<std::int64_t>(shares, backend_->work_shape().workers);
  const bool loads = !lies_as(x, program_.steps[0].source, program_.steps[0].operand);
  std::vector<Room> rooms;
  for (std::int64_t w = 0; w < workers; ++w) rooms.push_back(room(divided_up(rows, pieces), loads));
  const auto take_shares = [&](int w) {
    const Share own = share_of(shares, w, workers);
    for (std::int64_t s = own.first; s < own.last; ++s) {
      const Share part = share_of(pieces, s, shares);
      for (std::int64_t p = part.first; p < part.last; ++p) {
        const Share span = share_of(rows, p, pieces);
        work(rooms[static_cast<std::size_t>(w)],
             {span.first, span.last - span.first, static_cast<std::size_t>(s), p == part.first});
      }
    }
  };
  if (shares == 1) return take_shares(0);
  backend_->side_by_side(static_cast<int>(workers), take_shares);
}

bool TtmChain::lies_as(const View& x, const ChainAxes& from, const ChainAxes& to) const {
  return x.dtype == dtype_ && x.shape[1] == row_size(from) && x.is_contiguous() &&
         !moves_elements(from, to);
}

void TtmChain::load(const View& state, const ChainAxes& to, const View& x, const ChainAxes& from,
                    Room& room) const {
  const std::int64_t rows = x.shape[0], width = row_size(from), features = x.shape[1];
  View whole = x;
  if (features < width || !x.is_contiguous()) {
    const bool moves = moves_elements(from, to);
    whole = moves ? room.next_state(rows, width) : state.reshape({rows, width});
    if (features < width) backend_->fill(whole.slice(1, features, width - features), 0.0);
    backend_->copy(whole.slice(1, 0, features), x);
    if (!moves) return;
    room.drop_state();
  }
  const View moved = whole.reshape(shape_of(from, rows)).permute(permutation(from, to));
  backend_->copy(state.reshape(moved.shape), moved);
}

void TtmChain::store(const View& y, const ChainAxes& to, const View& state, const ChainAxes& from,
                     Room& room) const {
  const std::int64_t rows = y.shape[0], width = row_size(to);
  const View moved = state.reshape(shape_of(from, rows)).permute(permutation(from, to));
  if (y.shape[1] == width && y.is_contiguous()) {
    return backend_->copy(y.reshape(moved.shape), moved);
  }
  const View whole = room.next_state(rows, width);
  backend_->copy(whole.reshape(moved.shape), moved);
  backend_->copy(y, whole.slice(1, 0, y.shape[1]));
}

void TtmChain::multiply(const ChainStep& step, const View& result, const View& operand) const {
  const View y = matrices(step, result, step.produced);
  const View x = matrices(step, operand, step.contracted);
  const View f = factor(step).view();
  if (step.columns == 1) {
    backend_->gemm(y, x, f, {});
  } else {
    backend_->gemm(y, f, x, {});
  }
}

void TtmChain::multiply_back(const ChainStep& step, const Tensor& turned, const View& d_operand,
                             const View& d_result) const {
  const View dx = matrices(step, d_operand, step.contracted);
  const View dy = matrices(step, d_result, step.produced);
  if (step.columns == 1) {
    backend_->gemm(dx, dy, turned.view(), {});
  } else {
    backend_->gemm(dx, turned.view(), dy, {});
  }
}

void TtmChain::add_gradient(const ChainStep& step, const View& d_factor, const View& operand,
                            const View& d_result, double beta) const {
  const View x = matrices(step, operand, step.contracted);
  const View dy = matrices(step, d_result, step.produced);
  if (step.columns == 1) return backend_->gemm(d_factor, x.transpose(0, 1), dy, {.beta = beta});
  for (std::int64_t item = 0; item < x.shape[0]; ++item) {
    backend_->gemm(d_factor, dy[item], x[item].transpose(0, 1), {.beta = item == 0 ? beta : 1.0});
  }
}

std::vector<View> TtmChain::operands_of(const View& x, Room& room) const {
  const std::int64_t rows = x.shape[0];
  std::vector<View> operands;
  for (std::size_t s = 0; s < program_.steps.size(); ++s) {
    const ChainStep& step = program_.steps[s];
    const std::int64_t width = row_size(step.operand);
    if (!room.operands[s].defined()) {
      operands.push_back(x);
      continue;
    }
    const View operand = room.operands[s].view().slice(0, 0, rows * width).reshape({rows, width});
    if (s == 0) {
      load(operand, step.operand, x, step.source, room);
    } else {
      const bool moves = moves_elements(step.source, step.operand);
      const View state = moves ? room.next_state(rows, width) : operand;
      multiply(program_.steps[s - 1], state, operands.back());
      if (moves) store(operand, step.operand, state, step.source, room);
    }
    operands.push_back(operand);
  }
  return operands;
}

void TtmChain::forward(const View& y, const View& x) const {
  const ChainStep& step = program_.steps.back();
  const bool direct = lies_as(y, program_.output, step.result);
  in_pieces(x, num_pieces(x.shape[0]), [&](Room& room, const Piece& piece) {
    const View out = y.slice(0, piece.first, piece.count);
    const View operand = operands_of(x.slice(0, piece.first, piece.count), room).back();
    const View result = direct ? out : room.next_state(piece.count, row_size(step.result));
    multiply(step, result, operand);
    if (!direct) store(out, program_.output, result, step.result, room);
  });
}

std::vector<Gradient> TtmChain::backward(const View& dx, const View& dy, const View& x) const {
  const bool wants_dx = dx.data != nullptr;
  const ChainStep& first = program_.steps.front();
  const bool into_dx = wants_dx && lies_as(dx, first.source, first.operand);
  std::vector<Tensor> turned;  // copies: products with a turned operand are slower
  for (const ChainStep& step : program_.steps) {
    turned.push_back(factor(step).alias(factor(step).view().transpose(0, 1)).contiguous());
  }
  std::vector<std::vector<Tensor>> sums(static_cast<std::size_t>(num_sums(x.shape[0])));
  for (std::vector<Tensor>& sum : sums) {  // of each step
    for (const ChainStep& step : program_.steps) sum.push_back(Tensor::empty_like(factor(step)));
  }
  const auto pull_back = [&](Room& room, const Piece& piece) {
    const std::int64_t rows = piece.count;
    const std::vector<View> operands = operands_of(x.slice(0, piece.first, rows), room);
    View d_state = dy.slice(0, piece.first, rows);  // with these axes:
    const ChainAxes* axes = &program_.output;
    for (std::size_t s = program_.steps.size(); s-- > 0;) {
      const ChainStep& step = program_.steps[s];
      if (!lies_as(d_state, *axes, step.result)) {
        const View moved = room.next_state(rows, row_size(step.result));
        load(moved, step.result, d_state, *axes, room);
        d_state = moved;
      }
      add_gradient(step, sums[piece.share][s].view(), operands[s], d_state,
                   piece.is_first ? 0.0 : 1.0);
      if (s == 0 && !wants_dx) return;
      const View d_operand = s == 0 && into_dx ? dx.slice(0, piece.first, rows)
                                               : room.next_state(rows, row_size(step.operand));
      multiply_back(step, turned[s], d_operand, d_state);
      d_state = d_operand;
      axes = &step.operand;
    }
    if (!into_dx) store(dx.slice(0, piece.first, rows), first.source, d_state, *axes, room);
  };
  in_pieces(x, std::ssize(sums), pull_back);
  std::vector<Tensor> d_factors(groups_.size());
  for (std::size_t s = 0; s < program_.steps.size(); ++s) {
    Tensor& total = d_factors[static_cast<std::size_t>(program_.steps[s].group)];
    total = sums[0][s];
    if (x.shape[0] == 0) backend_->fill(total.view(), 0.0);
    for (std::size_t share = 1; share < sums.size(); ++share) {
      backend_->axpby(total.view(), 1.0, sums[share][s].view(), 1.0);
    }
  }
  sums.clear();
  std::vector<Gradient> result;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (Gradient& gradient : groups_[g].gradients(d_factors[g], layouts_[g])) {
      result.push_back(std::move(gradient));
    }
  }
  return result;
}

}  // namespace ty
