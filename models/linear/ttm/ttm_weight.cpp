#include "models/linear/ttm/ttm_weight.h"

#include <algorithm>
#include <limits>

#include "core/base/rounding.h"
#include "models/linear/ttm/shares.h"

namespace ty {

namespace {
// How much of a copy is made at a time: it stays in the cache of a core, all but the nearest.
std::int64_t tile_numbers(const WorkShape& work) {
  return work.piece_numbers == 0 ? std::numeric_limits<std::int64_t>::max()
                                 : 2 * work.piece_numbers;
}

Tensor permuted(const Tensor& x, const std::vector<int>& order) {
  return x.alias(x.view().permute(order)).contiguous();
}

// Both modes of each core.
void append_modes(Shape& shape, const std::vector<Tensor>& cores) {
  for (const Tensor& core : cores) {
    shape.push_back(core.dim(1));
    shape.push_back(core.dim(2));
  }
}

}  // namespace

TtmWeight::TtmWeight(std::span<const Tensor> cores, int split, Backend& backend, DType dtype)
    : left_(cores.first(static_cast<std::size_t>(split)), backend, dtype),
      right_(cores.subspan(static_cast<std::size_t>(split)), backend, dtype),
      blocks_(cores[0].dim(2)),
      block_(left_.out() / blocks_ * right_.out()),
      backend_(&backend),
      dtype_(dtype) {
  const std::int64_t i = cores[0].dim(1), bond = left_.right();
  const Tensor a = left_.merged(), b = right_.merged();
  cut_ = a.numel() < b.numel() ? Cut::right : Cut::left;
  a_ = a.alias(a.view().reshape({i, blocks_, a.numel() / (i * blocks_ * bond), bond}));
  if (cut_ == Cut::right) a_ = permuted(a_, {1, 0, 2, 3});
  const std::int64_t next = right_.cores().empty() ? 1 : right_.cores()[0].dim(1);
  b_ = b.alias(b.view().reshape({bond, next, b.numel() / (bond * next)}));
}

Unfolding TtmWeight::digits(const View& w) const {
  View x = w;
  x.shape = {};
  x.strides = {};
  append_modes(x.shape, left_.cores());
  const int rows = x.rank();
  append_modes(x.shape, right_.cores());
  std::int64_t in_step = in() * w.strides[0], out_step = out();
  for (int d = 0; d < x.rank(); d += 2) {
    x.strides.push_back(in_step /= x.shape[d]);
    x.strides.push_back(out_step /= x.shape[d + 1]);
  }
  x.shape[1] = w.shape[1] / block_;
  return {x, rows};
}

View TtmWeight::rows(const Tensor& a, const Tile& tile) const {
  const std::int64_t bond = a_.dim(3);
  if (cut_ == Cut::right) {
    const View blocks = a.view().slice(0, tile.block, tile.blocks);
    return blocks.reshape({blocks.numel() / bond, bond});
  }
  View part = a.view().slice(0, tile.first, tile.count).slice(1, tile.block, 1);
  // [count, 1, A_rest, R], of which one of count and A_rest is 1
  const int dim = tile.count > 1 ? 0 : 2;
  part.strides = {part.strides[dim], part.strides[3]};
  part.shape = {part.shape[dim], part.shape[3]};
  return part;
}

View TtmWeight::columns(const Tensor& b, const Tile& tile) const {
  View part = b.view();
  if (cut_ == Cut::right) part = part.slice(1, tile.first, tile.count);
  part.shape = {part.shape[0], part.shape[1] * part.shape[2]};
  part.strides = {part.strides[0], 1};
  return part;
}

View TtmWeight::place(const View& w, const Tile& tile, std::int64_t first) const {
  const Unfolding d = digits(w);
  const View part = d.view.slice(1, tile.block - first, tile.blocks);
  if (cut_ == Cut::left) return part.slice(0, tile.first, tile.count);
  const View exchanged = part.transpose(0, 1);  // as a_
  return right_.cores().empty() ? exchanged : exchanged.slice(d.row_dims, tile.first, tile.count);
}

void TtmWeight::for_tiles(std::int64_t first, std::int64_t count,
                          const std::function<void(const Tile&)>& work) const {
  const std::int64_t rest = a_.dim(2), first_in = left_.cores()[0].dim(1);
  // What tiles count, how many there are for each block (left) or all blocks (right), and how many
  // numbers one has.
  const WorkShape shape = backend_->work_shape();
  const bool left = cut_ == Cut::left;
  const std::int64_t range = left ? first_in : b_.dim(1);
  const std::int64_t unit =
      left ? rest * b_.dim(1) * b_.dim(2) : count * first_in * rest * b_.dim(2);
  const std::int64_t most =
      left && rest > 1 ? 1 : std::clamp<std::int64_t>(tile_numbers(shape) / unit, 1, range);
  const std::int64_t per_block = divided_up(range, most);
  const std::int64_t tiles = left ? count * per_block : per_block;
  const auto shares = static_cast<std::int64_t>(sums_.size());
  const std::int64_t workers = std::min<std::int64_t>({tiles, shares, shape.workers});
  std::vector<Tensor> copies;
  for (std::int64_t w = 0; w < workers; ++w) {
    copies.push_back(Tensor::empty(*backend_, {most * unit}, dtype_));
  }
  const auto do_tile = [&](std::int64_t t, std::int64_t share, const View& room) {
    const std::int64_t from = t % per_block * most, n = std::min(most, range - from);
    Tile tile = {left ? first + t / per_block : first,
                 left ? 1 : count,
                 from,
                 n,
                 static_cast<std::size_t>(share),
                 View{}};
    const std::int64_t width = columns(b_, tile).shape[1];
    tile.copy = room.slice(0, 0, n * unit).reshape({n * unit / width, width});
    work(tile);
  };
  if (tiles == 1) return do_tile(0, shares - 1, copies[0].view());  // where share_of() puts it
  backend_->side_by_side(static_cast<int>(workers), [&](int w) {
    const Share own = share_of(shares, w, workers);
    for (std::int64_t s = own.first; s < own.last; ++s) {
      const Share part = share_of(tiles, s, shares);
      for (std::int64_t t = part.first; t < part.last; ++t) {
        do_tile(t, s, copies[static_cast<std::size_t>(w)].view());
      }
    }
  });
}

void TtmWeight::build(std::int64_t first, std::int64_t count, const View& w) const {
  const bool left = cut_ == Cut::left;
  View a = a_.view().slice(left ? 1 : 0, first, count);
  if (!left) a = a.transpose(0, 1);
  Shape modes = {b_.dim(0)};
  append_modes(modes, right_.cores());
  backend_->contract(digits(w), {a, 3}, {b_.view().reshape(modes), 1}, 0.0);
}

void TtmWeight::project(std::int64_t first, std::int64_t count, const View& dw) {
  const bool left = cut_ == Cut::left, is_first = sums_.empty();
  if (is_first) {
    const Shape sum = left ? b_.shape() : Shape{a_.dim(3), a_.dim(0), a_.dim(1), a_.dim(2)};
    const std::int64_t shares = num_shares(in() * out(), sum.numel());
    for (std::int64_t s = 0; s < shares; ++s) {
      sums_.push_back(Tensor::full(*backend_, sum, dtype_, 0.0));
    }
  }
  if (!left && is_first) db_ = count == blocks_ ? b_ : Tensor::empty_like(b_);
  for_tiles(first, count, [&](const Tile& tile) {
    const View source = place(dw, tile, first);
    backend_->copy(tile.copy.reshape(source.shape), source);
    const View a = rows(a_, tile), b = columns(b_, tile);
    const Tensor& sum = sums_[tile.share];
    if (left) {
      backend_->gemm(columns(sum, tile), a.transpose(0, 1), tile.copy, {.beta = 1.0});
      backend_->gemm(a, tile.copy, b.transpose(0, 1), {});
    } else {
      // The bond first: the other way round, this product is slower.
      View turned = sum.view().slice(1, tile.block, tile.blocks);
      turned.shape = {turned.shape[0], turned.numel() / turned.shape[0]};
      turned.strides = {turned.strides[0], 1};
      backend_->gemm(turned, b, tile.copy.transpose(0, 1), {.beta = 1.0});
      backend_->gemm(columns(db_, tile), a.transpose(0, 1), tile.copy,
                     {.beta = is_first ? 0.0 : 1.0});
    }
  });
}

std::vector<Gradient> TtmWeight::gradients() const {
  for (std::size_t s = 1; s < sums_.size(); ++s) {
    backend_->axpby(sums_[0].view(), 1.0, sums_[s].view(), 1.0);
  }
  const bool left = cut_ == Cut::left;
  std::vector<Gradient> result = left_.gradients(left ? a_ : permuted(sums_[0], {2, 1, 3, 0}));
  for (Gradient& gradient : right_.gradients(left ? sums_[0] : db_)) {
    result.push_back(std::move(gradient));
  }
  return result;
}

}  // namespace ty
