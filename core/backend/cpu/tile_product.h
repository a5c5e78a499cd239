// The innermost part of products: a few rows times a few vectors of columns, with the sums in
// registers; and the packing of operands. contract_share.cpp drives it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace ty::cpu {

// c [rows, vectors * lanes] = a b + beta c.
template <typename T>
struct TileProduct {
  const T* a;  // element (i, p) at i * a_row + p * a_column
  std::int64_t a_row, a_column;
  const T* b;  // packed: [inner, vectors * lanes]
  std::int64_t inner;
  T* c;  // vector v of row i at c_rows[i] + c_vectors[v]
  const std::int64_t* c_rows;
  const std::int64_t* c_vectors;
  T beta;             // 0: c is not read
  int rows, vectors;  // at most those of tile_limits()
  int last;           // columns of the last vector
};

// What fits this machine's registers: elements per vector, and the largest number of rows of a tile
// of 1, 2 and 3 vectors.
struct TileLimits {
  int lanes;
  std::array<int, 3> rows;
};
TileLimits tile_limits(float);
TileLimits tile_limits(double);

void multiply(const TileProduct<float>& tile);
void multiply(const TileProduct<double>& tile);

// Neighbouring columns that are packed together: element e of row i goes from x + rows[i] + from +
// e to y + to + i * row + e.
struct Strip {
  std::int64_t from, to, row;
};
// Strips of `count` elements, one of kStripSizes, row by row: x is read in the order of its
// columns.
template <typename T>
struct Gather {
  T* y;
  const T* x;
  std::span<const std::int64_t> rows;
  std::span<const Strip> strips;
  int count;
};
inline constexpr std::array kStripSizes = {16, 8, 4, 1};
void gather(const Gather<float>& block);
void gather(const Gather<double>& block);

}  // namespace ty::cpu
