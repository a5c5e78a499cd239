#include "models/linear/ttm_chain.h"

#include <algorithm>

#include "core/base/rounding.h"

namespace ty {

namespace {

MergedCores::Layout layout_of(const ChainPass& pass) {
  return pass.order == ChainOrder::from_left ? MergedCores::Layout::in_left__out_right
                                             : MergedCores::Layout::in_right__out_left;
}

constexpr std::int64_t kLeastRows = 8;  // of a worker; fewer share all threads in each kernel

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

View TtmChain::Room::next_state(std::int64_t rows, std::int64_t width) {
  last ^= 1;
  return states[last].view().slice(0, 0, rows * width).reshape({rows, width});
}

TtmChain::Room TtmChain::room(std::int64_t rows, bool loads, Direction direction) const {
  const auto numbers = [&](std::int64_t n) { return Tensor::empty(*backend_, {n}, dtype_); };
  Room room;
  std::int64_t widest = std::max(padded_in_, padded_out_);
  for (const ChainStep& step : program_.steps) {
    const bool is_x =
        &step == &program_.steps.front() && !loads && !moves_elements(step.source, step.operand);
    room.operands.push_back(is_x ? Tensor() : numbers(rows * row_size(step.operand)));
    widest = std::max({widest, row_size(step.operand), row_size(step.result)});
    if (direction == Direction::backward)
      room.d_factors.push_back(Tensor::empty_like(factor(step)));
  }
  for (Tensor& state : room.states) state = numbers(rows * widest);
  return room;
}

std::vector<TtmChain::Room> TtmChain::in_pieces(
    const View& x, Direction direction,
    const std::function<void(Room&, const Piece&)>& work) const {
  const std::int64_t rows = x.shape[0];
  const std::int64_t most = pass_.tokens == 0 ? std::max<std::int64_t>(rows, 1) : pass_.tokens;
  const std::int64_t workers =
      pass_.tokens == 0 ? 1 : std::clamp<std::int64_t>(rows / kLeastRows, 1, backend_->workers());
  // Shares and pieces of equal size.
  const std::int64_t share = divided_up(rows, workers);
  const std::int64_t piece = divided_up(share, std::max<std::int64_t>(divided_up(share, most), 1));
  std::vector<Room> rooms;
  for (std::int64_t w = 0; w < workers; ++w) {
    rooms.push_back(room(piece, must_load(x, padded_in_), direction));
  }
  backend_->side_by_side(static_cast<int>(workers), [&](int w) {
    const std::int64_t begin = rows * w / workers, end = rows * (w + 1) / workers;
    for (std::int64_t first = begin; first < end; first += piece) {
      work(rooms[static_cast<std::size_t>(w)],
           {first, std::min(piece, end - first), first == begin});
    }
  });
  return rooms;
}

bool TtmChain::must_load(const View& x, std::int64_t padded) const {
  return x.dtype != dtype_ || x.shape[1] != padded || !x.is_contiguous();
}

View TtmChain::load(const View& x, std::int64_t padded, const View& into) const {
  if (!must_load(x, padded)) return x;
  const std::int64_t width = x.shape[1];
  if (padded > width) backend_->fill(into.slice(1, width, padded - width), 0.0);
  backend_->copy(into.slice(1, 0, width), x);
  return into;
}

void TtmChain::store(const View& y, const View& x, const ChainAxes& from, const ChainAxes& to,
                     Room& room) const {
  const std::int64_t rows = y.shape[0], width = row_size(to);
  const View source = x.reshape(shape_of(from, rows)).permute(permutation(from, to));
  if (y.shape[1] == width && y.is_contiguous()) {
    return backend_->copy(y.reshape(shape_of(to, rows)), source);
  }
  const View whole = room.next_state(rows, width);
  backend_->copy(whole.reshape(shape_of(to, rows)), source);
  backend_->copy(y, whole.slice(1, 0, y.shape[1]));
}

bool TtmChain::lies_in(const View& y, const ChainAxes& from, const ChainAxes& to) const {
  return y.dtype == dtype_ && y.shape[1] == row_size(to) && y.is_contiguous() &&
         !moves_elements(from, to);
}

std::vector<View> TtmChain::operands_of(const View& x, Room& room) const {
  const std::int64_t rows = x.shape[0];
  std::vector<View> operands;
  for (std::size_t s = 0; s < program_.steps.size(); ++s) {
    const ChainStep& step = program_.steps[s];
    const std::int64_t width = row_size(step.operand);
    const bool moves = moves_elements(step.source, step.operand);
    const auto place = [&] {
      return room.operands[s].view().slice(0, 0, rows * width).reshape({rows, width});
    };
    View state;
    if (s > 0) {
      const ChainStep& before = program_.steps[s - 1];
      state = moves ? room.next_state(rows, width) : place();
      backend_->gemm(matrix(state, before.columns), operands.back(), factor(before).view(), {});
    } else if (must_load(x, padded_in_)) {
      state = load(x, padded_in_, moves ? room.next_state(rows, width) : place());
    } else {
      state = x;
    }
    if (moves) {
      store(place(), state, step.source, step.operand, room);
      state = place();
    }
    operands.push_back(matrix(state, step.contracted));
  }
  return operands;
}

void TtmChain::forward(const View& y, const View& x) const {
  const ChainStep& step = program_.steps.back();
  in_pieces(x, Direction::forward, [&](Room& room, const Piece& piece) {
    const View out = y.slice(0, piece.first, piece.count);
    const View operand = operands_of(x.slice(0, piece.first, piece.count), room).back();
    const bool direct = lies_in(out, step.result, program_.output);
    const View result = direct ? out : room.next_state(piece.count, padded_out_);
    backend_->gemm(matrix(result, step.columns), operand, factor(step).view(), {});
    if (!direct) store(out, result, step.result, program_.output, room);
  });
}

std::vector<Gradient> TtmChain::backward(const View& dx, const View& dy, const View& x) const {
  const auto pull_back = [&](Room& room, const Piece& piece) {
    const std::int64_t rows = piece.count;
    const std::vector<View> operands = operands_of(x.slice(0, piece.first, rows), room);
    View d_state =
        load(dy.slice(0, piece.first, rows), padded_out_, room.next_state(rows, padded_out_));
    const ChainAxes* axes = &program_.output;
    for (std::size_t s = program_.steps.size(); s-- > 0;) {
      const ChainStep& step = program_.steps[s];
      if (moves_elements(*axes, step.result)) {
        const View moved = room.next_state(rows, row_size(step.result));
        store(moved, d_state, *axes, step.result, room);
        d_state = moved;
      }
      const View d_product = matrix(d_state, step.columns);
      backend_->gemm(room.d_factors[s].view(), operands[s].transpose(0, 1), d_product,
                     {.beta = piece.is_first ? 0.0 : 1.0});
      if (s == 0 && dx.data == nullptr) break;
      const View d_input = s == 0 ? dx.slice(0, piece.first, rows) : View{};
      const bool direct = s == 0 && lies_in(d_input, step.operand, step.source);
      d_state = direct ? d_input : room.next_state(rows, row_size(step.operand));
      backend_->gemm(matrix(d_state, step.contracted), d_product,
                     factor(step).view().transpose(0, 1), {});
      axes = &step.operand;
      if (s == 0 && !direct) store(d_input, d_state, *axes, step.source, room);
    }
  };
  std::vector<Room> rooms = in_pieces(x, Direction::backward, pull_back);
  std::vector<Tensor> d_factors(groups_.size());
  for (std::size_t s = 0; s < program_.steps.size(); ++s) {
    Tensor& sum = d_factors[static_cast<std::size_t>(program_.steps[s].group)];
    sum = rooms[0].d_factors[s];
    if (x.shape[0] == 0) backend_->fill(sum.view(), 0.0);
    for (std::size_t w = 1; w < rooms.size(); ++w) {
      backend_->axpby(sum.view(), 1.0, rooms[w].d_factors[s].view(), 1.0);
    }
  }
  rooms.clear();
  std::vector<Gradient> result;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (Gradient& gradient : groups_[g].gradients(d_factors[g], layout_of(pass_))) {
      result.push_back(std::move(gradient));
    }
  }
  return result;
}

}  // namespace ty
