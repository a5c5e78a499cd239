// How work whose results are added up is shared: by the shape alone, so that bits do not depend on
// the number of threads. Each share has a sum of its own, workers take shares, and the sums are
// added up in the order of the shares:
//
//   pieces   0 1 2 | 3 4 5 | 6 7 8 | 9 10 11      4 shares, whatever takes them:
//   1 worker   0       0       0       0
//   2 workers  0       0       1       1
#pragma once

#include <algorithm>
#include <cstdint>

namespace ty {

inline constexpr std::int64_t kMostShares = 16;

// The number of shares for sums of so many numbers each, beside a matrix of `matrix` numbers that
// the work is about: as many as take a sixty-fourth of its memory, from 2 to kMostShares.
inline std::int64_t num_shares(std::int64_t matrix, std::int64_t sum) {
  return std::clamp<std::int64_t>(matrix / (64 * std::max<std::int64_t>(sum, 1)), 2, kMostShares);
}

// Items [first, last) of share s, or shares of worker s, of `count`.
struct Share {
  std::int64_t first, last;
};
inline Share share_of(std::int64_t items, std::int64_t s, std::int64_t count) {
  return {items * s / count, items * (s + 1) / count};
}

}  // namespace ty
