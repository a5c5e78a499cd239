#include <cmath>
#include <vector>

#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/lanes.h"
#include "core/backend/cpu/runs.h"
#include "core/backend/host_workspace.h"
#include "core/backend/scratch.h"

namespace ty {

namespace {

constexpr std::int64_t kRows = host_workspace::kSumRows;

// Sum of a contiguous run in double, from chunks of fixed size added in order.
template <typename T, typename Chunk>
double chunked(const T* x, std::int64_t n, Chunk chunk) {
  const std::int64_t chunks = (n + cpu::kChunk - 1) / cpu::kChunk;
  std::vector<double> partial(static_cast<std::size_t>(chunks));
#pragma omp parallel for schedule(static) if (chunks > 1)
  for (std::int64_t i = 0; i < chunks; ++i) {
    const std::int64_t first = i * cpu::kChunk;
    partial[static_cast<std::size_t>(i)] = chunk(x + first, std::min(cpu::kChunk, n - first));
  }
  double total = 0;
  for (double p : partial) total += p;
  return total;
}

template <typename T>
double sum_run(const T* x, std::int64_t n) {
  return chunked(x, n, [](const T* p, std::int64_t count) {
    if constexpr (std::is_same_v<T, float>) return spans::sum(p, count);
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(p[i]);
    return sum;
  });
}

template <typename T>
void store(const View& y, std::int64_t at, double value, double beta) {
  T* p = y.as<T>() + at;
  if (beta != 0.0) value += beta * static_cast<double>(*p);
  if constexpr (sizeof(T) == 2) {
    *p = T(static_cast<float>(value));
  } else {
    *p = static_cast<T>(value);
  }
}

// Column sums of x [rows, columns] into sums [columns], rows in blocks of kRows.
template <typename T, typename A>
void sum_columns(Allocator& memory, A* sums, const T* x, std::int64_t rows, std::int64_t columns) {
  const std::int64_t blocks = (rows + kRows - 1) / kRows;
  const Scratch scratch(memory, blocks * columns * static_cast<std::int64_t>(sizeof(A)));
  A* partial = scratch.as<A>();
  // Strips of columns too, so that a few tall blocks still use every thread.
  const std::int64_t strips = (columns + 1023) / 1024;
#pragma omp parallel for collapse(2) schedule(static)
  for (std::int64_t block = 0; block < blocks; ++block) {
    for (std::int64_t strip = 0; strip < strips; ++strip) {
      const std::int64_t first = strip * 1024;
      const std::int64_t n = std::min<std::int64_t>(1024, columns - first);
      A* out = partial + block * columns + first;
      std::fill_n(out, n, A(0));
      for (std::int64_t r = block * kRows; r < std::min(rows, (block + 1) * kRows); ++r) {
        const T* row = x + r * columns + first;
        if constexpr (std::is_same_v<T, float>) {
          spans::binary(BinaryOp::add, out, out, row, n, 1);
        } else {
          for (std::int64_t i = 0; i < n; ++i) out[i] += static_cast<A>(row[i]);
        }
      }
    }
  }
  std::fill_n(sums, columns, A(0));
  for (std::int64_t block = 0; block < blocks; ++block) {
    const A* row = partial + block * columns;
    for (std::int64_t i = 0; i < columns; ++i) sums[i] += row[i];
  }
}

}  // namespace

void CpuBackend::reduce_sum(const View& y, const View& x, double beta) {
  // Reduced dimensions first, kept ones behind: column sums of a matrix.
  int split = 0;
  std::int64_t rows = 1;
  while (split < x.rank() && (y.shape[split] == 1)) rows *= x.shape[split++];
  bool columns_kept = true;
  for (int d = split; d < x.rank(); ++d) columns_kept = columns_kept && y.shape[d] == x.shape[d];
  if (!x.is_contiguous() || !y.is_contiguous() || !columns_kept || x.numel() == 0) {
    return reference_.reduce_sum(y, x, beta);
  }
  const std::int64_t columns = y.numel();
  dispatch_float(x.dtype, "reduce_sum", [&](auto tx) {
    dispatch_float(y.dtype, "reduce_sum", [&](auto ty) {
      using X = decltype(tx);
      using Y = decltype(ty);
      if (columns == 1) return store<Y>(y, 0, sum_run(x.as<X>(), x.numel()), beta);
      using A = accumulator_t<X>;
      const Scratch sums(memory_, columns * static_cast<std::int64_t>(sizeof(A)));
      sum_columns(memory_, sums.as<A>(), x.as<X>(), rows, columns);
      for (std::int64_t i = 0; i < columns; ++i) {
        store<Y>(y, i, static_cast<double>(sums.as<A>()[i]), beta);
      }
    });
  });
}

void CpuBackend::sum_squares(const View& y, const View& x) {
  if (!x.is_contiguous()) return reference_.sum_squares(y, x);
  y.as<double>()[0] = dispatch_float(x.dtype, "sum_squares", [&](auto t) {
    using T = decltype(t);
    return chunked(x.as<T>(), x.numel(), [](const T* p, std::int64_t n) {
      double sum = 0;
      if constexpr (std::is_same_v<T, double>) {
        for (std::int64_t i = 0; i < n; ++i) sum += p[i] * p[i];
      } else {
        cpu::each_as_floats(p, n, [&](const float* x32, std::int64_t, std::int64_t count) {
          sum += spans::sum_squares(x32, count);
        });
      }
      return sum;
    });
  });
}

}  // namespace ty
