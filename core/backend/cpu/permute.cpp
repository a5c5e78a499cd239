#include "core/backend/cpu/permute.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/backend/cpu/runs.h"  // kChunk
#include "core/backend/cpu/spans.h"
#include "core/base/rounding.h"

namespace ty::cpu {

namespace {

constexpr std::int64_t kTile = 32;  // elements a side: two tiles of fp32 lie in a first-level cache

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

// One dimension and its step in y and x.
struct Axis {
  std::int64_t size, y, x;
};

// Runs of `length` elements along two axes. kLength: the same, where it is known.
template <std::int64_t kLength = 0, typename T>
void copy_runs(const Axis& blocks, const Axis& rows, T* y, const T* x, std::int64_t length) {
  const auto bytes = static_cast<std::size_t>(kLength > 0 ? kLength : length) * sizeof(T);
  for (std::int64_t b = 0; b < blocks.size; ++b) {
    for (std::int64_t i = 0; i < rows.size; ++i) {
      std::memcpy(y + b * blocks.y + i * rows.y, x + b * blocks.x + i * rows.x, bytes);
    }
  }
}

template <typename T>
void copy_runs_of(std::int64_t length, const Axis& blocks, const Axis& rows, T* y, const T* x) {
  switch (length) {
    case 1:
      return copy_runs<1>(blocks, rows, y, x, length);
    case 2:
      return copy_runs<2>(blocks, rows, y, x, length);
    case 4:
      return copy_runs<4>(blocks, rows, y, x, length);
    case 8:
      return copy_runs<8>(blocks, rows, y, x, length);
    case 16:
      return copy_runs<16>(blocks, rows, y, x, length);
    default:
      return copy_runs(blocks, rows, y, x, length);
  }
}

// What is left to do for each value of the outer axes: planes of the two axes given last.
struct Plane {
  std::vector<Axis> outer;
  Axis blocks{1, 0, 0};  // of planes, if they are small
  Axis rows{1, 0, 0};    // the run or tile's other side
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
  if (!plane.outer.empty() &&
      plane.outer.back().size * plane.rows.size * plane.inner.size <= kChunk) {
    plane.blocks = plane.outer.back();
    plane.outer.pop_back();
  }
  // Planes are taken as x lies: writing waits for no one, reading does.
  std::stable_sort(plane.outer.begin(), plane.outer.end(),
                   [](const Axis& a, const Axis& b) { return a.x > b.x; });
  return plane;
}

// A part of a plane.
struct Part {
  std::int64_t row, rows, column, columns;
};

template <typename T>
void copy_part(const Plane& p, const Part& part, T* y, const T* x) {
  y += part.row * p.rows.y + part.column * p.inner.y;
  x += part.row * p.rows.x + part.column * p.inner.x;
  if (!p.transposed && p.inner.y == 1 && p.inner.x == 1) {
    return copy_runs_of(part.columns, p.blocks, {part.rows, p.rows.y, p.rows.x}, y, x);
  }
  for (std::int64_t b = 0; b < p.blocks.size; ++b, y += p.blocks.y, x += p.blocks.x) {
    if (p.transposed) {
      for (std::int64_t j = 0; j < part.rows; j += kTile) {
        for (std::int64_t i = 0; i < part.columns; i += kTile) {
          transpose_tile(y + j * p.rows.y + i, p.rows.y, x + i * p.inner.x + j, p.inner.x,
                         std::min(kTile, part.columns - i), std::min(kTile, part.rows - j));
        }
      }
    } else {
      for (std::int64_t i = 0; i < part.rows; ++i) {
        for (std::int64_t k = 0; k < part.columns; ++k) {
          y[i * p.rows.y + k * p.inner.y] = x[i * p.rows.x + k * p.inner.x];
        }
      }
    }
  }
}

template <typename T>
void copy_all(const View& y, const View& x) {
  const Plane plane = plane_of(y, x);
  std::int64_t planes = 1;
  for (const Axis& axis : plane.outer) planes *= axis.size;
  // Parts of about kChunk elements, cut by shape alone; whole tiles where axes change places.
  const std::int64_t columns = std::min(plane.inner.size, kChunk);
  const std::int64_t least = plane.transposed ? kTile : 1;
  const std::int64_t rows = std::max(least, kChunk / columns / least * least);
  const std::int64_t cuts = divided_up(plane.inner.size, columns);
  const std::int64_t parts = divided_up(plane.rows.size, rows) * cuts;
  const bool worth_it = y.numel() > kChunk / 2;
#pragma omp parallel for schedule(static) if (worth_it && planes * parts > 1)
  for (std::int64_t piece = 0; piece < planes * parts; ++piece) {
    std::int64_t rest = piece / parts, at_y = 0, at_x = 0;
    for (auto axis = plane.outer.rbegin(); axis != plane.outer.rend(); ++axis) {
      at_y += rest % axis->size * axis->y;
      at_x += rest % axis->size * axis->x;
      rest /= axis->size;
    }
    const std::int64_t row = piece % parts / cuts * rows, column = piece % cuts * columns;
    copy_part(plane,
              {row, std::min(rows, plane.rows.size - row), column,
               std::min(columns, plane.inner.size - column)},
              y.as<T>() + at_y, x.as<const T>() + at_x);
  }
}

}  // namespace

void permuting_copy(const View& y, const View& x) {
  if (y.numel() == 0) return;
  dispatch_dtype(y.dtype, [&](auto t) { copy_all<decltype(t)>(y, x); });
}

}  // namespace ty::cpu
