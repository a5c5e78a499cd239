// Copies between layouts whose innermost dimensions differ, through tiles in shared memory: what is
// read is adjacent, and what is written.
#pragma once

#include "core/backend/cuda/kernel/walk.h"

namespace ty::cuda::kernel {

inline constexpr int kTile = 32;

// y[.., r, c] = x[.., r, c], r adjacent in x, c adjacent in y.
struct Tiles {
  Walk<2> rest;  // over the other dimensions: of y, of x
  std::int64_t rows = 0, columns = 0;
  std::int64_t y_row_step = 0, x_column_step = 0;
  std::int64_t down = 0, across = 0;  // tiles
};

// W: an unsigned word of an element's size.
template <typename W>
TY_KERNEL void transpose(const TY_CONSTANT Tiles tiles, W* y, const W* x) {
  TY_SHARED W tile[kTile][kTile + 1];  // one more, so that a column is in different banks
  constexpr int kRows = kMostThreads / kTile;
  const std::int64_t along = thread() % kTile, first = thread() / kTile;
  const std::int64_t plane = tiles.down * tiles.across;
  for (std::int64_t item = block(); item < tiles.rest.items * plane; item += blocks()) {
    std::int64_t at[2];
    tiles.rest.locate(item / plane, at);
    const std::int64_t row = item % plane / tiles.across * kTile;
    const std::int64_t column = item % plane % tiles.across * kTile;
    for (std::int64_t k = first; k < kTile; k += kRows) {
      if (row + along < tiles.rows && column + k < tiles.columns) {
        tile[along][k] = x[at[1] + row + along + (column + k) * tiles.x_column_step];
      }
    }
    barrier();
    for (std::int64_t k = first; k < kTile; k += kRows) {
      if (row + k < tiles.rows && column + along < tiles.columns) {
        y[at[0] + (row + k) * tiles.y_row_step + column + along] = tile[k][along];
      }
    }
    barrier();
  }
}

}  // namespace ty::cuda::kernel
