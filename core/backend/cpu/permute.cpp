#include "core/backend/cpu/permute.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/backend/cpu/runs.h"  // kChunk
#include "core/backend/cpu/spans.h"

namespace ty::cpu {

namespace {

constexpr std::int64_t kTile = 32;  // elements a side: two tiles of fp32 lie in a first-level cache

// One dimension and its step in y and x.
struct Axis {
  std::int64_t size, y, x;
};

// y[j * ys + i] = x[i * xs + j] for i < rows, j < cols.
template <typename T>
void transpose_tile(T* y, std::int64_t ys, const T* x, std::int64_t xs, std::int64_t rows,
                    std::int64_t cols) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) y[j * ys + i] = x[i * xs + j];
  }
}

void transpose_tile(float* y, std::int64_t ys, const float* x, std::int64_t xs, std::int64_t rows,
                    std::int64_t cols) {
  spans::transpose(y, ys, x, xs, rows, cols);
}

// `rows` runs of `length` elements.
template <typename T>
void copy_runs(T* y, std::int64_t ys, const T* x, std::int64_t xs, std::int64_t rows,
               std::int64_t length) {
  if (length >= 32) {
    for (std::int64_t i = 0; i < rows; ++i) {
      std::memcpy(y + i * ys, x + i * xs, static_cast<std::size_t>(length) * sizeof(T));
    }
    return;
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    T* out = y + i * ys;
    const T* in = x + i * xs;
    std::int64_t k = 0;
    for (; k + 4 <= length; k += 4) std::memcpy(out + k, in + k, 4 * sizeof(T));
    for (; k < length; ++k) out[k] = in[k];
  }
}

// What is left to do for each value of the outer axes: a plane of the two axes given last.
struct Plane {
  std::vector<Axis> outer;
  Axis rows{1, 0, 0};  // the run or tile's other side
  Axis inner{1, 1, 1};
  bool transposed = false;
};

// Dimensions of size 1 dropped, those that both views walk without a gap merged, as y lies.
std::vector<Axis> merged_axes(const View& y, const View& x) {
  std::vector<Axis> axes;
  for (int d = 0; d < y.rank(); ++d) {
    if (y.shape[d] != 1) axes.push_back({y.shape[d], y.strides[d], x.strides[d]});
  }
  std::stable_sort(axes.begin(), axes.end(),
                   [](const Axis& a, const Axis& b) { return a.y > b.y; });
  std::vector<Axis> result;
  for (const Axis& axis : axes) {
    if (!result.empty() && result.back().y == axis.y * axis.size &&
        result.back().x == axis.x * axis.size) {
      result.back() = {result.back().size * axis.size, axis.y, axis.x};
    } else {
      result.push_back(axis);
    }
  }
  return result;
}

Plane plane_of(const View& y, const View& x) {
  Plane plane;
  plane.outer = merged_axes(y, x);
  if (plane.outer.empty()) return plane;
  plane.inner = plane.outer.back();
  plane.outer.pop_back();
  if (plane.outer.empty()) return plane;
  auto rows = plane.outer.end() - 1;
  if (plane.inner.x != 1) {
    // The axis along which x is contiguous, if there is one.
    const auto found = std::find_if(plane.outer.begin(), plane.outer.end(),
                                    [](const Axis& axis) { return axis.x == 1; });
    if (found != plane.outer.end() && plane.inner.y == 1) {
      rows = found;
      plane.transposed = true;
    }
  }
  plane.rows = *rows;
  plane.outer.erase(rows);
  return plane;
}

template <typename T>
void copy_plane(const Plane& p, T* y, const T* x, std::int64_t first, std::int64_t count) {
  y += first * p.rows.y;
  x += first * p.rows.x;
  if (p.transposed) {
    for (std::int64_t j = 0; j < count; j += kTile) {
      for (std::int64_t i = 0; i < p.inner.size; i += kTile) {
        transpose_tile(y + j * p.rows.y + i, p.rows.y, x + i * p.inner.x + j, p.inner.x,
                       std::min(kTile, p.inner.size - i), std::min(kTile, count - j));
      }
    }
  } else if (p.inner.y == 1 && p.inner.x == 1) {
    copy_runs(y, p.rows.y, x, p.rows.x, count, p.inner.size);
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      for (std::int64_t k = 0; k < p.inner.size; ++k) {
        y[i * p.rows.y + k * p.inner.y] = x[i * p.rows.x + k * p.inner.x];
      }
    }
  }
}

template <typename T>
void copy_all(const View& y, const View& x) {
  const Plane plane = plane_of(y, x);
  std::int64_t planes = 1;
  for (const Axis& axis : plane.outer) planes *= axis.size;
  // Pieces of a plane's rows, cut by shape alone.
  const std::int64_t step = std::max<std::int64_t>(
      kTile, kChunk / std::max<std::int64_t>(plane.inner.size, 1) / kTile * kTile);
  const std::int64_t cuts = (plane.rows.size + step - 1) / step;
  const std::int64_t pieces = planes * cuts;
  const bool worth_it = y.numel() > kChunk / 2;
#pragma omp parallel for schedule(static) if (worth_it && pieces > 1)
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    std::int64_t rest = piece / cuts, at_y = 0, at_x = 0;
    for (auto axis = plane.outer.rbegin(); axis != plane.outer.rend(); ++axis) {
      at_y += rest % axis->size * axis->y;
      at_x += rest % axis->size * axis->x;
      rest /= axis->size;
    }
    const std::int64_t first = piece % cuts * step;
    copy_plane(plane, y.as<T>() + at_y, x.as<const T>() + at_x, first,
               std::min(step, plane.rows.size - first));
  }
}

}  // namespace

void permuting_copy(const View& y, const View& x) {
  if (y.numel() == 0) return;
  dispatch_dtype(y.dtype, [&](auto t) { copy_all<decltype(t)>(y, x); });
}

}  // namespace ty::cpu
