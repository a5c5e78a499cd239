// Asks for memory before it is needed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/backend/cpu/digits.h"
#include "core/backend/cpu/tile_product.h"

namespace ty::cpu {

// Brings the next block of an operand near while the current one is worked on, one column of cache
// lines with each tile.
template <typename T>
class Ahead {
 public:
  // Blocks of these columns of x, by offset.
  void take(const T* x, const Offsets& columns) {
    const auto line = static_cast<std::int64_t>(64 / sizeof(T));
    x_ = x;
    lines_.clear();
    for (std::int64_t last = 0; const std::int64_t column : columns) {
      if (!lines_.empty() && column >= last && column < last + line) continue;
      lines_.push_back(last = column);
    }
    next_ = lines_.size();
  }
  // Rows [first, first + count), as far as there are any.
  void start(const Digits& rows, std::int64_t first, std::int64_t count) {
    count = std::min(count, rows.size() - first);
    if (count <= 0) return;
    next_ = 0;
    rows_.resize(std::max(static_cast<std::size_t>(count), rows_.size()));
    rows.write(first, count, rows_.data());
  }
  void add_to(TileProduct<T>& tile) {
    tile.ahead = nullptr;
    if (next_ == lines_.size()) return;
    const auto inner = static_cast<std::size_t>(tile.inner);
    if (rows_.size() < inner) rows_.resize(inner, rows_[0]);
    tile.ahead = x_ + lines_[next_++];
    tile.ahead_rows = rows_.data();
  }

 private:
  const T* x_ = nullptr;
  Offsets rows_, lines_;
  std::size_t next_ = 0;
};

}  // namespace ty::cpu
