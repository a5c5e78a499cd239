#include "models/linear/ttm_weight.h"

#include <algorithm>

namespace ty {

namespace {
constexpr std::int64_t kTileNumbers = std::int64_t{1} << 17;  // of a product: stays in cache
}  // namespace

using Layout = MergedCores::Layout;

TtmWeight::TtmWeight(std::span<const Tensor> cores, int split, Backend& backend, DType dtype)
    : left_(cores.first(static_cast<std::size_t>(split)), backend, dtype),
      right_(cores.subspan(static_cast<std::size_t>(split)), backend, dtype),
      in_(left_.in() * right_.in()),
      block_(left_.out() / cores[0].dim(2) * right_.out()),
      backend_(&backend),
      dtype_(dtype) {
  const std::int64_t i = cores[0].dim(1), j = cores[0].dim(2), bond = left_.right();
  const Tensor a = left_.arranged(Layout::as_merged), b = right_.arranged(Layout::bond_first);
  a_ = a.alias(a.view().reshape({i, j, a.numel() / (i * j * bond), bond}));
  b_ = b.alias(b.view().reshape({bond, b.numel() / bond}));
}

View TtmWeight::rows_of(const Tile& tile) const {
  View rows = a_.view().slice(0, tile.first, tile.count).slice(1, tile.block, 1);
  // [count, 1, A_rest, R], of which one of count and A_rest is 1
  const int dim = tile.count > 1 ? 0 : 2;
  rows.strides = {rows.strides[dim], rows.strides[3]};
  rows.shape = {rows.shape[dim], rows.shape[3]};
  return rows;
}

View TtmWeight::digits(const View& w, const Tile& tile, std::int64_t first_block) const {
  const std::int64_t row = w.strides[0], first_in = a_.dim(0);
  View part = w.slice(0, tile.first * (in_ / first_in), tile.count * (in_ / first_in))
                  .slice(1, (tile.block - first_block) * block_, block_);
  std::int64_t in = in_ / first_in, out = block_;  // rows and columns of W per step of a digit
  part.shape = {tile.count};
  part.strides = {in * row};
  const auto digit = [&](std::int64_t i, std::int64_t j) {
    part.shape.push_back(i);
    part.shape.push_back(j);
    part.strides.push_back((in /= i) * row);
    part.strides.push_back(out /= j);
  };
  for (std::size_t k = 1; k < left_.cores().size(); ++k) {
    digit(left_.cores()[k].dim(1), left_.cores()[k].dim(2));
  }
  digit(right_.in(), right_.out());
  return part;
}

void TtmWeight::for_tiles(std::int64_t first, std::int64_t count,
                          const std::function<void(const Tile&)>& work) const {
  const std::int64_t columns = b_.dim(1), rest = a_.dim(2);
  const std::int64_t most =
      rest > 1 ? 1 : std::clamp<std::int64_t>(kTileNumbers / columns, 1, a_.dim(0));
  const std::int64_t per_block = (a_.dim(0) + most - 1) / most, tiles = count * per_block;
  const std::int64_t workers = std::min<std::int64_t>(tiles, backend_->workers());
  std::vector<Tensor> products;
  for (std::int64_t w = 0; w < workers; ++w) {
    products.push_back(Tensor::empty(*backend_, {most * rest, columns}, dtype_));
  }
  backend_->side_by_side(static_cast<int>(workers), [&](int w) {
    for (std::int64_t t = tiles * w / workers; t < tiles * (w + 1) / workers; ++t) {
      const std::int64_t begin = t % per_block * most;
      const std::int64_t n = std::min(most, a_.dim(0) - begin);
      work({first + t / per_block, begin, n, w,
            products[static_cast<std::size_t>(w)].view().slice(0, 0, n * rest)});
    }
  });
}

void TtmWeight::build(std::int64_t first, std::int64_t count, const View& w) const {
  for_tiles(first, count, [&](const Tile& tile) {
    backend_->gemm(tile.product, rows_of(tile), b_.view(), {});
    const View target = digits(w, tile, first);
    backend_->copy(target, tile.product.reshape(target.shape));
  });
}

void TtmWeight::project(std::int64_t first, std::int64_t count, const View& dw) {
  for (int w = static_cast<int>(db_.size()); w < backend_->workers(); ++w) {
    db_.push_back(Tensor::full(*backend_, b_.shape(), dtype_, 0.0));
  }
  for_tiles(first, count, [&](const Tile& tile) {
    const View source = digits(dw, tile, first);
    backend_->copy(tile.product.reshape(source.shape), source);
    const View rows = rows_of(tile);
    backend_->gemm(db_[static_cast<std::size_t>(tile.worker)].view(), rows.transpose(0, 1),
                   tile.product, {.beta = 1.0});
    backend_->gemm(rows, tile.product, b_.view().transpose(0, 1), {});
  });
}

std::vector<Gradient> TtmWeight::gradients() const {
  for (std::size_t w = 1; w < db_.size(); ++w) {
    backend_->axpby(db_[0].view(), 1.0, db_[w].view(), 1.0);
  }
  std::vector<Gradient> result = left_.gradients(a_, Layout::as_merged);
  for (Gradient& gradient : right_.gradients(db_[0], Layout::bond_first)) {
    result.push_back(std::move(gradient));
  }
  return result;
}

}  // namespace ty
