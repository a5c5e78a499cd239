// How threads share a product of unfoldings. Cuts of the sum depend on shapes alone, so that bits
// do not change with the number of threads.
#include <algorithm>
#include <numeric>
#include <vector>

#include "core/backend/cpu/contract_share.h"
#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/packed.h"
#include "core/base/rounding.h"

namespace ty {

namespace {

using cpu::ContractShare;

constexpr std::int64_t kFew = 16384;     // results
constexpr std::int64_t kFewer = 8192;    // of fewer, sums of twice as many terms are cut
constexpr std::int64_t kLong = 1024;     // terms of a sum
constexpr std::int64_t kMostParts = 16;  // of a sum
// Products of fewer multiplications stay on one thread: others take longer to join than they save,
// and a whole time slice where the machine does something else too.
constexpr std::int64_t kShared = 1 << 17;

template <typename T>
std::int64_t vectors_of(std::int64_t columns) {
  return divided_up(columns, cpu::tile_limits(T{}).lanes);
}

Unfolding transposed(const Unfolding& x) {
  std::vector<int> order;
  for (int d = x.row_dims; d < x.view.rank(); ++d) order.push_back(d);
  for (int d = 0; d < x.row_dims; ++d) order.push_back(d);
  return {x.view.permute(order), x.view.rank() - x.row_dims};
}

// Dimensions [first, first + count) of x and y, of equal sizes in both, as they lie in x, if x is
// contiguous along one of them: then its runs are as long as can be.
void reorder(View& x, int first_x, View& y, int first_y, int count) {
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  bool runs = false;
  for (int d = 0; d < count; ++d) {
    if (x.shape[first_x + d] != y.shape[first_y + d]) return;
    runs = runs || (x.strides[first_x + d] == 1 && x.shape[first_x + d] > 1);
  }
  if (!runs) return;
  std::stable_sort(order.begin(), order.end(),
                   [&](int d, int e) { return x.strides[first_x + d] > x.strides[first_x + e]; });
  const View old_x = x, old_y = y;
  for (int d = 0; d < count; ++d) {
    const int from = order[static_cast<std::size_t>(d)];
    x.shape[first_x + d] = y.shape[first_y + d] = old_x.shape[first_x + from];
    x.strides[first_x + d] = old_x.strides[first_x + from];
    y.strides[first_y + d] = old_y.strides[first_y + from];
  }
}

// How threads share c: `down` parts of its rows, `across` of its vectors. Each packs what it needs.
struct Grid {
  std::int64_t down, across;
};
Grid grid_of(std::int64_t rows, std::int64_t vectors, std::int64_t threads) {
  Grid best = {1, 1};
  std::int64_t least = INT64_MAX;
  for (std::int64_t across = 1; across <= std::min(threads, vectors); ++across) {
    const Grid grid = {std::min(threads / across, rows), across};
    // Packing an element takes about as long as a quarter of a vector product.
    const std::int64_t work =
        (divided_up(rows, grid.down) + 4) * (4 * divided_up(vectors, across) + 1);
    if (work < least) {
      least = work;
      best = grid;
    }
  }
  return best;
}

template <typename T>
void share_results(const Unfolding& c, const Unfolding& a, const Unfolding& b, double beta,
                   std::int64_t threads) {
  const std::int64_t rows = c.rows(), vectors = vectors_of<T>(c.columns());
  const Grid grid = grid_of(rows, vectors, threads);
  const std::int64_t parts = grid.down * grid.across;
#pragma omp parallel for schedule(static, 1) if (parts > 1)
  for (std::int64_t p = 0; p < parts; ++p) {
    const std::int64_t i = p / grid.across, j = p % grid.across;
    const std::int64_t row = rows * i / grid.down, vector = vectors * j / grid.across;
    ContractShare<T>(c, a, b, beta)
        .run({.row = row,
              .rows = rows * (i + 1) / grid.down - row,
              .vector = vector,
              .vectors = vectors * (j + 1) / grid.across - vector,
              .k = 0,
              .inner = a.columns()});
  }
}

// sums [parts, rows, columns]: products of equal parts of the sum.
template <typename T>
void share_sums(T* sums, std::int64_t parts, const Unfolding& a, const Unfolding& b,
                std::int64_t threads) {
  const std::int64_t rows = a.rows(), columns = b.columns(), inner = a.columns();
#pragma omp parallel for schedule(static) if (threads > 1)
  for (std::int64_t p = 0; p < parts; ++p) {
    const View sum = contiguous_view(sums + p * rows * columns, a.view.dtype, {rows, columns});
    const std::int64_t k = inner * p / parts;
    ContractShare<T>({sum, 1}, a, b, 0.0)
        .run({.row = 0,
              .rows = rows,
              .vector = 0,
              .vectors = vectors_of<T>(columns),
              .k = k,
              .inner = inner * (p + 1) / parts - k});
  }
}

}  // namespace

bool CpuBackend::is_long_sum(std::int64_t rows, std::int64_t columns, std::int64_t inner) {
  const std::int64_t results = rows * columns;
  return results <= kFew && inner >= (results < kFewer ? 2 * kLong : kLong);
}

void CpuBackend::contract(const Unfolding& c, const Unfolding& a, const Unfolding& b, double beta) {
  if (c.view.numel() == 0) return;
  Unfolding to = c, left = a, right = b;
  const int columns = c.view.rank() - c.row_dims, inner = b.row_dims;
  if (b.view.rank() - b.row_dims == columns) {
    reorder(to.view, c.row_dims, right.view, b.row_dims, columns);
  }
  if (a.view.rank() - a.row_dims == inner) reorder(left.view, a.row_dims, right.view, 0, inner);
  a.view.dtype == DType::f64 ? contract_as<double>(to, left, right, beta)
                             : contract_as<float>(to, left, right, beta);
}

template <typename T>
void CpuBackend::contract_as(const Unfolding& c, const Unfolding& a, const Unfolding& b,
                             double beta) {
  const std::int64_t rows = c.rows(), columns = c.columns(), inner = a.columns();
  const bool share_sum = is_long_sum(rows, columns, inner) && c.view.dtype == a.view.dtype;
  // The way round in which vectors are fuller, where it does not matter how c lies.
  const bool fuller = vectors_of<T>(rows) * columns < vectors_of<T>(columns) * rows;
  if (fuller && (columns == 1 || (share_sum && a.view.rank() == 2))) {
    return contract_as<T>(transposed(c), transposed(b), transposed(a), beta);
  }
  const std::int64_t workers = rows * columns * inner < kShared ? 1 : threads();
  if (!share_sum) return share_results<T>(c, a, b, beta, workers);
  static thread_local cpu::Packed room;
  const std::int64_t parts = std::min(inner / (kLong / 2), kMostParts), size = rows * columns;
  T* sums = room.room<T>(parts * size);
  share_sums(sums, parts, a, b, workers);
  const auto sum = [&](std::int64_t p) {
    return contiguous_view(sums + p * size, c.view.dtype, c.view.shape);
  };
  for (std::int64_t p = 1; p < parts; ++p) axpby(sum(0), 1.0, sum(p), 1.0);
  beta == 0.0 ? copy(c.view, sum(0)) : axpby(c.view, 1.0, sum(0), beta);
}

}  // namespace ty
