// Copies between layouts and types, and fills.
#include "core/backend/cuda/device/mapping.h"
#include "core/backend/cuda/kernel/pointwise.h"
#include "core/backend/cuda/kernel/transpose.h"

namespace ty::cuda {

using kernel::Nothing;

// Where y and x are adjacent in different dimensions. Returns whether it did.
bool CudaBackend::copy_in_tiles(const View& y, const View& x) {
  kernel::Walk<2> walk = make_walk<2>(y.shape, {y.strides, x.strides}, Order::any);
  const int last = walk.dims - 1;
  int adjacent = -1;  // dimension of x
  for (int d = 0; d < last; ++d) {
    if (walk.steps[1][d] == 1) adjacent = d;
  }
  if (adjacent < 0 || walk.steps[0][last] != 1) return false;
  if (walk.sizes[adjacent] < 4 || walk.sizes[last] < 4) return false;  // tiles would be empty
  kernel::Tiles tiles;
  tiles.rows = walk.sizes[adjacent];
  tiles.columns = walk.sizes[last];
  tiles.y_row_step = walk.steps[0][adjacent];
  tiles.x_column_step = walk.steps[1][last];
  tiles.down = (tiles.rows + kernel::kTile - 1) / kernel::kTile;
  tiles.across = (tiles.columns + kernel::kTile - 1) / kernel::kTile;
  tiles.rest.items = walk.items / (tiles.rows * tiles.columns);
  tiles.rest.is_short = walk.is_short;
  tiles.rest.dims = 0;
  for (int d = 0; d < last; ++d) {
    if (d == adjacent) continue;
    const int at = tiles.rest.dims++;
    tiles.rest.sizes[at] = walk.sizes[d];
    for (int k = 0; k < 2; ++k) tiles.rest.steps[k][at] = walk.steps[k][d];
  }
  if (tiles.rest.dims == 0) {
    tiles.rest.dims = 1;
    tiles.rest.sizes[0] = 1;
  }
  kernel::dispatch_word(y.dtype, [&](auto w) {
    using W = decltype(w);
    launch_("copy", launch_.for_blocks(tiles.rest.items * tiles.down * tiles.across),
            kernel::transpose<W>, tiles, y.as<W>(), x.as<const W>());
  });
  return true;
}

void CudaBackend::copy(const View& y, const View& x) {
  if (y.numel() == 0) return;
  if (y.dtype == x.dtype) {
    if (y.is_contiguous() && x.is_contiguous()) {
      return runtime::copy_on_device(y.data, x.data, y.bytes(), stream_.issue("copy whole"));
    }
    if (copy_in_tiles(y, x)) return;
    return kernel::dispatch_word(y.dtype, [&](auto w) {
      using W = decltype(w);
      map<kernel::Convert<W>, W, W, Nothing>("copy", {}, y, &x, nullptr);
    });
  }
  if (!is_floating(y.dtype)) {
    if (y.dtype == DType::i64) {
      return map<kernel::Convert<std::int64_t>, std::int64_t, std::int32_t, Nothing>("copy", {}, y,
                                                                                     &x, nullptr);
    }
    return map<kernel::Convert<std::int64_t>, std::int32_t, std::int64_t, Nothing>("copy", {}, y,
                                                                                   &x, nullptr);
  }
  kernel::dispatch(y.dtype, "copy", [&](auto to) {
    kernel::dispatch(x.dtype, "copy", [&](auto from) {
      using Y = decltype(to);
      using X = decltype(from);
      if constexpr (!std::is_same_v<X, Y>) {
        map<kernel::Convert<kernel::Wider<X, Y>>, Y, X, Nothing>("copy", {}, y, &x, nullptr);
      }
    });
  });
}

namespace {

// The bits of an element that holds the value.
template <typename W>
W word_of(DType dtype, double value) {
  W word{};
  const auto set = [&](auto element) {
    if constexpr (sizeof(element) == sizeof(W)) word = std::bit_cast<W>(element);
  };
  switch (dtype) {
    case DType::i32:
      set(static_cast<std::int32_t>(value));
      break;
    case DType::i64:
      set(static_cast<std::int64_t>(value));
      break;
    default:
      kernel::dispatch(dtype, "fill", [&](auto t) { set(kernel::narrow<decltype(t)>(value)); });
  }
  return word;
}

}  // namespace

void CudaBackend::fill(const View& y, double value) {
  kernel::dispatch_word(y.dtype, [&](auto w) {
    using W = decltype(w);
    const W word = word_of<W>(y.dtype, value);
    if (word == 0 && y.is_contiguous()) {
      if (y.numel() > 0) runtime::set_zero(y.data, y.bytes(), stream_.issue("set zero"));
      return;
    }
    map<kernel::Fill<W>, W, Nothing, Nothing>("fill", {word}, y, nullptr, nullptr);
  });
}

}  // namespace ty::cuda
