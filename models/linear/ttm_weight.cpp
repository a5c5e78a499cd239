#include "models/linear/ttm_weight.h"

#include <algorithm>

#include "core/base/rounding.h"

namespace ty {

namespace {
constexpr std::int64_t kTileNumbers = std::int64_t{1} << 17;  // of a product: stays in cache

Tensor permuted(const Tensor& x, const std::vector<int>& order) {
  return x.alias(x.view().permute(order)).contiguous();
}

}  // namespace

TtmWeight::TtmWeight(std::span<const Tensor> cores, int split, Backend& backend, DType dtype)
    : left_(cores.first(static_cast<std::size_t>(split)), backend, dtype),
      right_(cores.subspan(static_cast<std::size_t>(split)), backend, dtype),
      in_(left_.in() * right_.in()),
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
  const std::int64_t row = w.strides[0];
  const std::int64_t first_in = left_.cores()[0].dim(1);
  std::int64_t in = in_ / first_in, out = block_;  // rows and columns of W per step of a digit
  View part = w.slice(1, (tile.block - first) * block_, tile.blocks * block_);
  if (cut_ == Cut::left) {
    part = part.slice(0, tile.first * in, tile.count * in);
    part.shape = {tile.count};
    part.strides = {in * row};
  } else {
    const std::int64_t step = right_.in() / b_.dim(1);
    part = part.slice(0, tile.first * step, tile.count * step);
    part.shape = {tile.blocks, first_in};
    part.strides = {block_, in * row};
  }
  const auto digits = [&](const Tensor& core) {
    part.shape.push_back(core.dim(1));
    part.shape.push_back(core.dim(2));
    part.strides.push_back((in /= core.dim(1)) * row);
    part.strides.push_back(out /= core.dim(2));
  };
  for (std::size_t k = 1; k < left_.cores().size(); ++k) digits(left_.cores()[k]);
  const int right = part.rank();
  for (const Tensor& core : right_.cores()) digits(core);
  if (cut_ == Cut::right && part.rank() > right) part.shape[right] = tile.count;
  return part;
}

void TtmWeight::for_tiles(std::int64_t first, std::int64_t count,
                          const std::function<void(const Tile&)>& work) const {
  const std::int64_t rest = a_.dim(2), first_in = left_.cores()[0].dim(1);
  // What tiles count, how many there are for each block (left) or all blocks (right), and how many
  // numbers of the product one makes.
  const bool left = cut_ == Cut::left;
  const std::int64_t range = left ? first_in : b_.dim(1);
  const std::int64_t unit =
      left ? rest * b_.dim(1) * b_.dim(2) : count * first_in * rest * b_.dim(2);
  const std::int64_t most =
      left && rest > 1 ? 1 : std::clamp<std::int64_t>(kTileNumbers / unit, 1, range);
  const std::int64_t per_block = divided_up(range, most);
  const std::int64_t tiles = left ? count * per_block : per_block;
  const std::int64_t workers = std::min<std::int64_t>(tiles, backend_->workers());
  std::vector<Tensor> products;
  for (std::int64_t w = 0; w < workers; ++w) {
    products.push_back(Tensor::empty(*backend_, {most * unit}, dtype_));
  }
  backend_->side_by_side(static_cast<int>(workers), [&](int w) {
    for (std::int64_t t = tiles * w / workers; t < tiles * (w + 1) / workers; ++t) {
      const std::int64_t from = t % per_block * most, n = std::min(most, range - from);
      Tile tile = {left ? first + t / per_block : first, left ? 1 : count, from, n, w, View{}};
      const std::int64_t width = columns(b_, tile).shape[1];
      tile.product = products[static_cast<std::size_t>(w)].view().slice(0, 0, n * unit);
      tile.product = tile.product.reshape({n * unit / width, width});
      work(tile);
    }
  });
}

void TtmWeight::build(std::int64_t first, std::int64_t count, const View& w) const {
  for_tiles(first, count, [&](const Tile& tile) {
    backend_->gemm(tile.product, rows(a_, tile), columns(b_, tile), {});
    const View target = place(w, tile, first);
    backend_->copy(target, tile.product.reshape(target.shape));
  });
}

void TtmWeight::project(std::int64_t first, std::int64_t count, const View& dw) {
  const bool left = cut_ == Cut::left, is_first = sums_.empty();
  for (int w = static_cast<int>(sums_.size()); w < backend_->workers(); ++w) {
    const Shape turned = {a_.dim(3), a_.dim(0), a_.dim(1), a_.dim(2)};
    sums_.push_back(Tensor::full(*backend_, left ? b_.shape() : turned, dtype_, 0.0));
  }
  if (!left && is_first) db_ = count == blocks_ ? b_ : Tensor::empty_like(b_);
  for_tiles(first, count, [&](const Tile& tile) {
    const View source = place(dw, tile, first);
    backend_->copy(tile.product.reshape(source.shape), source);
    const View a = rows(a_, tile), b = columns(b_, tile);
    const Tensor& sum = sums_[static_cast<std::size_t>(tile.worker)];
    if (left) {
      backend_->gemm(columns(sum, tile), a.transpose(0, 1), tile.product, {.beta = 1.0});
      backend_->gemm(a, tile.product, b.transpose(0, 1), {});
    } else {
      // The bond first: the other way round, this product is slower.
      View turned = sum.view().slice(1, tile.block, tile.blocks);
      turned.shape = {turned.shape[0], turned.numel() / turned.shape[0]};
      turned.strides = {turned.strides[0], 1};
      backend_->gemm(turned, b, tile.product.transpose(0, 1), {.beta = 1.0});
      backend_->gemm(columns(db_, tile), a.transpose(0, 1), tile.product,
                     {.beta = is_first ? 0.0 : 1.0});
    }
  });
}

std::vector<Gradient> TtmWeight::gradients() const {
  for (std::size_t w = 1; w < sums_.size(); ++w) {
    backend_->axpby(sums_[0].view(), 1.0, sums_[w].view(), 1.0);
  }
  const bool left = cut_ == Cut::left;
  std::vector<Gradient> result = left_.gradients(left ? a_ : permuted(sums_[0], {2, 1, 3, 0}));
  for (Gradient& gradient : right_.gradients(left ? sums_[0] : db_)) {
    result.push_back(std::move(gradient));
  }
  return result;
}

}  // namespace ty
