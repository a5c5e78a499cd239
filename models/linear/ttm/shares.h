// How work is shared when its results are summed: by the shape alone, so that bits do not depend on
// the number of threads. Each share has its own sum, workers take whole shares, and the sums are
// added in the order of the shares:
//
//   pieces   0 1 2 | 3 4 5 | 6 7 8 | 9 10 11      4 shares, whatever takes them:
//   1 worker   0       0       0       0
//   2 workers  0       0       1       1
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace ty {

inline constexpr std::int64_t kMostShares = 16;

// The number of shares, whose sums have `sum` elements each, for work on a matrix of `matrix`
// elements: as many as fit in a sixty-fourth of its memory, rounded up to a power of two (of three
// shares, one of two workers would take two), but at least 2 and at most kMostShares.
inline std::int64_t num_shares(std::int64_t matrix, std::int64_t sum) {
  const auto fit = static_cast<std::uint64_t>(matrix / (64 * std::max<std::int64_t>(sum, 1)));
  return std::clamp(static_cast<std::int64_t>(std::bit_ceil(fit)), std::int64_t{2}, kMostShares);
}

// Items [first, last) of share s of `count`; likewise the shares of worker s.
struct Share {
  std::int64_t first, last;
};
inline Share share_of(std::int64_t items, std::int64_t s, std::int64_t count) {
  return {items * s / count, items * (s + 1) / count};
}

}  // namespace ty
