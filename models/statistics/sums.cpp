#include "models/statistics/sums.h"

#include <algorithm>

#include "core/tensor/tensor.h"

namespace ty {

namespace {

// Measured: two tiles of this size and the rows that make them stay in the caches of a core.
constexpr std::int64_t kTileBytes = std::int64_t{1} << 20;
constexpr std::int64_t kTileRows = 16;  // a multiple of it suits products

}  // namespace

std::int64_t tile_rows(const View& matrix) {
  const std::int64_t row = matrix.shape[1] * static_cast<std::int64_t>(size_of(matrix.dtype));
  return std::max(kTileRows, kTileBytes / row / kTileRows * kTileRows);
}

void add_squared_gradients(Backend& backend, const View& sum, const View& x, const View& dy,
                           std::span<const GradientTerm> terms) {
  const std::int64_t in = x.shape[1], out = dy.shape[1], most = std::min(in, tile_rows(dy));
  const Tensor gradient = Tensor::empty(backend, {most, out}, x.dtype);
  const Tensor squares = Tensor::empty(backend, {most, out}, x.dtype);
  for (std::int64_t first = 0; first < in; first += most) {
    const std::int64_t count = std::min(most, in - first);
    const View tile = gradient.view().slice(0, 0, count), total = squares.view().slice(0, 0, count);
    bool has_total = false;
    for (const GradientTerm& term : terms) {
      const View own_x = x.slice(0, term.rows.first, term.rows.count).slice(1, first, count);
      const View own_dy = dy.slice(0, term.rows.first, term.rows.count);
      backend.gemm(tile, own_x.transpose(0, 1), own_dy, {.alpha = term.scale});
      const View& target = has_total ? tile : total;
      backend.binary(BinaryOp::mul, target, tile, tile);
      if (has_total) backend.axpby(total, 1.0, tile, 1.0);
      has_total = true;
    }
    if (has_total) backend.axpby(sum.slice(0, first, count), 1.0, total, 1.0);
  }
}

void add_upper_gram(Backend& backend, const View& sum, const View& x) {
  constexpr std::int64_t kBand = 256;
  const std::int64_t in = x.shape[1], most = std::min(kBand, in);
  const Tensor scratch = Tensor::empty(backend, {most * in}, x.dtype);
  for (std::int64_t first = 0; first < in; first += most) {
    const std::int64_t count = std::min(most, in - first);
    const View band = scratch.view().slice(0, 0, count * (in - first)).reshape({count, in - first});
    backend.gemm(band, x.slice(1, first, count).transpose(0, 1), x.slice(1, first, in - first), {});
    backend.axpby(sum.slice(0, first, count).slice(1, first, in - first), 1.0, band, 1.0);
  }
}

}  // namespace ty
