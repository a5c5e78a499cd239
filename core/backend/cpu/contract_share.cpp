#include "core/backend/cpu/contract_share.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/backend/cpu/packed.h"
#include "core/backend/cpu/spans.h"
#include "core/base/rounding.h"

namespace ty::cpu {

namespace {

// Of the sum at a time: the rows of a that a tile takes stay in a first-level cache.
constexpr std::int64_t kInner = 256;
// Elements of b packed at a time: these and the rows of a share a second-level cache.
constexpr std::int64_t kPackedB = std::int64_t{1} << 16;
// Rows of a packed at a time, about, unless all of them have few enough elements; a gap keeps them
// off each other's places in a cache.
constexpr std::int64_t kRows = 128, kPackedA = std::int64_t{1} << 15, kGap = 16;

thread_local Packed room_a, room_b, room_c;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Columns at these offsets, packed next to each other from `to` on, rows `row` apart.
void add_strips(Strips& strips, std::span<const std::int64_t> columns, std::int64_t to,
                std::int64_t row) {
  for (std::size_t j = 0; j < columns.size();) {
    std::size_t end = j + 1;
    while (end < columns.size() && columns[end] == columns[end - 1] + 1) ++end;
    for (std::size_t kind = 0; kind < kStripSizes.size(); ++kind) {
      for (const auto size = at(kStripSizes[kind]); end - j >= size; j += size) {
        strips[kind].push_back({columns[j], to + static_cast<std::int64_t>(j), row});
      }
    }
  }
}

// Gathers the strips, and takes them off.
template <typename T>
void gather_all(T* y, const T* x, std::span<const std::int64_t> rows, Strips& strips) {
  for (std::size_t kind = 0; kind < kStripSizes.size(); ++kind) {
    if (!strips[kind].empty()) gather(Gather<T>{y, x, rows, strips[kind], kStripSizes[kind]});
    strips[kind].clear();
  }
}

// c = sums + beta c.
template <typename T, typename C>
void add_run(C* c, const T* sums, std::int64_t count, T beta) {
  if constexpr (std::is_same_v<T, float> && sizeof(C) == 2) {
    if (beta == T(0)) return spans::from_float(c, sums, count);
  }
  std::int64_t j = 0;
  if constexpr (std::is_same_v<T, C>) {
    constexpr std::int64_t kPiece = 4;  // of short runs
    for (; beta == T(0) && j + kPiece <= count; j += kPiece) {
      std::memcpy(c + j, sums + j, kPiece * sizeof(T));
    }
  }
  for (; j < count; ++j) {
    const T all = beta == T(0) ? sums[j] : sums[j] + beta * static_cast<T>(c[j]);
    c[j] = static_cast<C>(static_cast<accumulator_t<C>>(all));
  }
}

}  // namespace

template <typename T>
ContractShare<T>::ContractShare(const Unfolding& c, const Unfolding& a, const Unfolding& b,
                                double beta)
    : c_dtype_(c.view.dtype), c_(c), a_(a), b_(b), beta_(beta) {
  const auto row = a_.rows.step(), column = a_.columns.step();
  // Far apart by a multiple of this, elements share few places of a cache.
  const auto aliases = [](std::int64_t step) { return at(step) * sizeof(T) % 1024 == 0; };
  direct_ = row && column && !aliases(*row) && !aliases(*column);
}

template <typename T>
void ContractShare<T>::run(const Part& part) {
  const std::vector<Panel> panels = panels_of(part);
  // Sums of a narrower c are rounded once.
  const bool once = c_dtype_ != DTypeOf<T>::value;
  const std::int64_t chunks = once ? 1 : std::max<std::int64_t>(divided_up(part.inner, kInner), 1);
  const std::int64_t tiles = limits_.rows[1] * limits_.rows[2];  // of either kind, whole ones
  const std::int64_t block_rows = std::max<std::int64_t>(kRows / tiles, 1) * tiles;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const std::int64_t from = part.inner * chunk / chunks;
    k_ = part.k + from;
    inner_ = part.inner * (chunk + 1) / chunks - from;
    const T beta = static_cast<T>(chunk == 0 ? beta_ : 1.0);
    if (!direct_) {
      columns_.resize(at(inner_));
      a_.columns.write(k_, inner_, columns_.data());
      packed_a_ = {};
      if (part.rows * (inner_ + kGap) <= kPackedA) pack_a(part.row, part.rows);
    }
    std::span<const Panel> left = panels;
    while (!left.empty()) {
      std::size_t count = 0;
      for (std::int64_t n = 0; count < left.size() && n < kPackedB; ++count) {
        n += width(left[count]) * inner_;
      }
      const auto group = left.first(count);
      pack_b(group);
      for (std::int64_t r = 0; r < part.rows; r += block_rows) {
        block(part.row + r, std::min(block_rows, part.rows - r), group, beta);
      }
      left = left.subspan(count);
    }
  }
}

// Three vectors each; two where one would be left, which alone is slow.
template <typename T>
std::vector<typename ContractShare<T>::Panel> ContractShare<T>::panels_of(const Part& part) const {
  std::vector<Panel> result;
  for (std::int64_t v = 0; v < part.vectors;) {
    const std::int64_t left = part.vectors - v;
    const std::int64_t vectors = left == 4 ? 2 : std::min<std::int64_t>(left, 3);
    const std::int64_t first = (part.vector + v) * limits_.lanes;
    const std::int64_t count = std::min(vectors * limits_.lanes, c_.columns.size() - first);
    result.push_back(panel_of(first, count, static_cast<int>(vectors)));
    v += vectors;
  }
  return result;
}

template <typename T>
typename ContractShare<T>::Panel ContractShare<T>::panel_of(std::int64_t first, std::int64_t count,
                                                            int vectors) const {
  Panel panel = {
      .first = first, .count = count, .vectors = vectors, .b = Offsets(at(count)), .runs = {}};
  b_.columns.write(first, count, panel.b.data());
  Offsets c(at(count));
  c_.columns.write(first, count, c.data());
  panel.whole = c_dtype_ == DTypeOf<T>::value;
  auto& runs = panel.runs;
  for (std::int64_t j = 0; j < count; ++j) {
    const bool starts = j % limits_.lanes == 0;
    if (starts) panel.vectors_of_c[at(j / limits_.lanes)] = c[at(j)];
    if (!runs.empty() && c[at(j)] == runs.back().offset + runs.back().count) {
      ++runs.back().count;
    } else {
      panel.whole = panel.whole && starts;
      runs.push_back({j, c[at(j)], 1});
    }
  }
  return panel;
}

template <typename T>
void ContractShare<T>::pack_b(std::span<const Panel> group) {
  std::int64_t size = 0;
  for (const Panel& panel : group) size += width(panel) * inner_;
  T* to = packed_b_ = room_b.room<T>(size);
  rows_.resize(at(inner_));
  b_.rows.write(k_, inner_, rows_.data());
  for (const Panel& panel : group) {
    const std::int64_t row = width(panel);
    if (!turn(to, panel)) add_strips(strips_, panel.b, to - packed_b_, row);
    for (std::int64_t i = 0; panel.count < row && i < inner_; ++i) {
      std::fill(to + i * row + panel.count, to + (i + 1) * row, T(0));
    }
    to += inner_ * row;
  }
  gather_all(packed_b_, b_.data, rows_, strips_);
}

template <typename T>
bool ContractShare<T>::turn(T* to, const Panel& panel) const {
  if constexpr (std::is_same_v<T, float>) {
    const auto column = b_.columns.step();
    if (!column || *column == 1 || inner_ == 0) return false;
    const T* from = b_.data + panel.b[0];
    for (std::int64_t i = 0; i < inner_;) {  // runs of the sum that lie together
      std::int64_t end = i + 1;
      while (end < inner_ && rows_[at(end)] == rows_[at(end - 1)] + 1) ++end;
      spans::transpose(to + i * width(panel), width(panel), from + rows_[at(i)], *column,
                       panel.count, end - i);
      i = end;
    }
    return true;
  }
  return false;
}

template <typename T>
void ContractShare<T>::pack_a(std::int64_t first, std::int64_t rows) {
  const std::int64_t row = inner_ + kGap;
  packed_a_ = {first, rows, room_a.room<T>(rows * row)};
  rows_.resize(at(rows));
  a_.rows.write(first, rows, rows_.data());
  add_strips(strips_, columns_, 0, row);
  gather_all(packed_a_.data, a_.data, rows_, strips_);
}

template <typename T>
void ContractShare<T>::set_a(TileProduct<T>& tile, std::int64_t first, std::int64_t rows) {
  if (direct_) {
    tile.a_row = *a_.rows.step();
    tile.a_column = *a_.columns.step();
    tile.a = a_.data + first * tile.a_row + k_ * tile.a_column;
    return;
  }
  const auto& packed = packed_a_;
  if (first < packed.first || first + rows > packed.first + packed.count) pack_a(first, rows);
  tile.a_row = inner_ + kGap;
  tile.a_column = 1;
  tile.a = packed.data + (first - packed.first) * tile.a_row;
}

template <typename T>
void ContractShare<T>::block(std::int64_t first, std::int64_t rows, std::span<const Panel> group,
                             T beta) {
  TileProduct<T> tile = {};
  tile.inner = inner_;
  tile.beta = beta;
  set_a(tile, first, rows);
  rows_.resize(at(rows));
  c_.rows.write(first, rows, rows_.data());
  int widest = 1;
  for (const Panel& panel : group) widest = std::max(widest, panel.vectors);
  const std::int64_t tiles = divided_up(rows, limits_.rows[at(widest - 1)]);
  const T* a = tile.a;
  for (std::int64_t t = 0; t < tiles; ++t) {  // of equal height, as far as can be
    const std::int64_t from = rows * t / tiles;
    tile.rows = static_cast<int>(rows * (t + 1) / tiles - from);
    tile.a = a + from * tile.a_row;
    tile.c = c_.data;
    tile.c_rows = rows_.data() + from;
    tile.b = packed_b_;
    for (const Panel& panel : group) {
      tile.vectors = panel.vectors;
      tile.c_vectors = panel.vectors_of_c.data();
      tile.last = static_cast<int>(panel.count - (panel.vectors - 1) * limits_.lanes);
      panel.whole ? multiply(tile) : scatter(tile, panel);
      tile.b += inner_ * width(panel);
    }
  }
}

template <typename T>
void ContractShare<T>::scatter(const TileProduct<T>& tile, const Panel& panel) {
  TileProduct<T> product = tile;
  const std::int64_t row = width(panel);
  T* dense = room_c.room<T>(tile.rows * row);
  Offsets rows(at(tile.rows));
  for (int i = 0; i < tile.rows; ++i) rows[at(i)] = i * row;
  const std::array<std::int64_t, 3> vectors = {0, limits_.lanes, 2 * limits_.lanes};
  product.c = dense;
  product.c_rows = rows.data();
  product.c_vectors = vectors.data();
  product.beta = 0;
  multiply(product);
  dispatch_float(c_dtype_, "contract", [&](auto t) {
    using C = decltype(t);
    C* c = static_cast<C*>(static_cast<void*>(c_.data));
    for (int i = 0; i < tile.rows; ++i) {
      for (const typename Panel::Run& run : panel.runs) {
        add_run(c + tile.c_rows[i] + run.offset, dense + i * row + run.first, run.count, tile.beta);
      }
    }
  });
}

template class ContractShare<float>;
template class ContractShare<double>;

}  // namespace ty::cpu
