#include "core/backend/cpu/cut_product.h"

#include <omp.h>

#include <algorithm>

#include "core/base/rounding.h"

namespace ty::cpu {

namespace {

constexpr std::int64_t kShared = 1 << 17;  // fewer multiplications stay on one thread
constexpr std::int64_t kAlone = 1 << 14;   // the library leaves these on one thread
constexpr std::int64_t kBlockWork = 1 << 26;
constexpr std::int64_t kLeastBlocks = 4, kMostBlocks = 64;
// What the library's kernel takes at once: its columns are our rows.
constexpr std::int64_t kRows = 8, kColumns = 48;

thread_local bool products_are_whole = false;

struct Blocks {
  std::int64_t rows, columns;  // of one
  std::int64_t down, across;   // so many
};

Blocks blocks_of(std::int64_t m, std::int64_t n, std::int64_t k) {
  const std::int64_t work = m * n * k;
  const std::int64_t wanted =
      work < kShared ? 1 : std::clamp(work / kBlockWork, kLeastBlocks, kMostBlocks);
  Blocks blocks = {m, n, 1, 1};
  while (blocks.down * blocks.across < wanted) {
    const bool can_rows = blocks.rows > 2 * kRows, can_columns = blocks.columns > 2 * kColumns;
    if (!can_rows && !can_columns) break;
    if (can_rows && (blocks.rows >= blocks.columns || !can_columns)) {
      blocks.rows = round_up(divided_up(blocks.rows, 2), kRows);
    } else {
      blocks.columns = round_up(divided_up(blocks.columns, 2), kColumns);
    }
    blocks.down = divided_up(m, blocks.rows);
    blocks.across = divided_up(n, blocks.columns);
  }
  return blocks;
}

// Element (r, c) of an operand.
const float* at(const float* x, Matrix layout, std::int64_t r, std::int64_t c) {
  return layout.transposed ? x + c * layout.stride + r : x + r * layout.stride + c;
}

}  // namespace

WholeProducts::WholeProducts() : before_(products_are_whole) { products_are_whole = true; }
WholeProducts::~WholeProducts() { products_are_whole = before_; }
bool WholeProducts::on_this_thread() { return products_are_whole; }

void cut_gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
              Matrix la, const float* b, Matrix lb, float beta, float* c, std::int64_t lc) {
  if (products_are_whole) return gemm(m, n, k, alpha, a, la, b, lb, beta, c, lc);
  const Blocks blocks = blocks_of(m, n, k);
  const std::int64_t count = blocks.down * blocks.across;
  // The library stays on one thread in a parallel region, which a team of one is not: what cannot
  // be cut takes a second thread that has nothing to do.
  const int most = count > 1 ? omp_get_max_threads() : m * n * k > kAlone ? 2 : 1;
#pragma omp parallel for schedule(static) num_threads(std::min(most, omp_get_max_threads()))
  for (std::int64_t block = 0; block < count; ++block) {
    const std::int64_t row = block / blocks.across * blocks.rows;
    const std::int64_t column = block % blocks.across * blocks.columns;
    gemm(std::min(blocks.rows, m - row), std::min(blocks.columns, n - column), k, alpha,
         at(a, la, row, 0), la, at(b, lb, 0, column), lb, beta, c + row * lc + column, lc);
  }
}

}  // namespace ty::cpu
