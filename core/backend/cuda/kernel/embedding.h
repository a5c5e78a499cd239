// Rows of a table by ids, and their gradient: each row's contributions in the order of the ids,
// whatever the launch.
#pragma once

#include "core/backend/cuda/kernel/fault.h"
#include "core/backend/cuda/kernel/rows.h"

namespace ty::cuda::kernel {

struct alignas(16) Sixteen {
  std::uint64_t low, high;
};

// W: a word of an element's size, or sixteen bytes; `words` of them are a row.
template <typename W>
TY_KERNEL void gather_rows(std::int64_t count, std::int64_t words, Rows<W> y, Rows<const W> table,
                           Ids ids, Slice slice, Fault* fault) {
  for (std::int64_t i = grid_thread(); i < count * words; i += grid_threads()) {
    const std::int64_t n = i / words, c = i % words;
    const std::int64_t id = ids[n];
    if ((id < 0 || id >= slice.whole) && c == 0) {
      fault->note(Place::gather_rows, id, n, slice.whole);
    }
    const std::int64_t row = slice.row_of(id);
    y.row(n)[c] = row < 0 ? W{} : table.row(row)[c];
  }
}

// Sorts the ids by (row, position): order[k] is the k-th's position, rows[k] its row; ids of other
// slices come last, as row slice.size. Each thread counts what comes before its own id, so nothing
// depends on who is faster; count^2 comparisons, hence for some tens of thousands of ids at a time.
TY_KERNEL inline void sort_ids(std::int64_t first, std::int64_t count, Ids ids, Slice slice,
                               std::int32_t* order, std::int32_t* rows, Fault* fault) {
  TY_SHARED std::int32_t others[kMostThreads];
  const auto row_at = [&](std::int64_t n) {
    const std::int64_t row = slice.row_of(ids[first + n]);
    return static_cast<std::int32_t>(row < 0 ? slice.size : row);
  };
  for (std::int64_t base = block() * threads(); base < count; base += grid_threads()) {
    const std::int64_t n = base + thread();
    const std::int32_t own = n < count ? row_at(n) : 0;
    if (n < count) {
      const std::int64_t id = ids[first + n];
      if (id < 0 || id >= slice.whole) {
        fault->note(Place::scatter_add_rows, id, first + n, slice.whole);
      }
    }
    std::int64_t before = 0;
    for (std::int64_t tile = 0; tile < count; tile += threads()) {
      if (tile + thread() < count) others[thread()] = row_at(tile + thread());
      barrier();
      const std::int64_t end = tile + threads() < count ? threads() : count - tile;
      for (std::int64_t k = 0; k < end; ++k) {
        const bool earlier = others[k] < own || (others[k] == own && tile + k < n);
        before += earlier ? 1 : 0;
      }
      barrier();
    }
    if (n < count) {
      order[before] = static_cast<std::int32_t>(n);
      rows[before] = own;
    }
  }
}

// table[rows[k], :] += dy[first + order[k], :] for sorted ids; a block for a row and some columns.
template <typename Table, typename T>
TY_KERNEL void add_sorted(std::int64_t first, std::int64_t count, std::int64_t width,
                          std::int32_t absent, Rows<Table> table, Rows<const T> dy,
                          const std::int32_t* order, const std::int32_t* rows) {
  using C = Wider<Table, T>;
  for (std::int64_t k = block(); k < count; k += blocks()) {
    const std::int32_t row = rows[k];
    if (row == absent || (k > 0 && rows[k - 1] == row)) continue;
    for (std::int64_t c = block_y() * threads() + thread(); c < width;
         c += blocks_y() * threads()) {
      Table sum = table.row(row)[c];  // rounded after each addition, as anywhere
      for (std::int64_t next = k; next < count && rows[next] == row; ++next) {
        sum = narrow<Table>(widen<C>(sum) + widen<C>(dy.row(first + order[next])[c]));
      }
      table.row(row)[c] = sum;
    }
  }
}

}  // namespace ty::cuda::kernel
