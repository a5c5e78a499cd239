#include "models/linear/ttm/choose_shape.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"

namespace ty {

namespace {

using Sizes = std::vector<std::int64_t>;

// Descending, so that a large factor lands in an early, small group.
Sizes prime_factors(std::int64_t n) {
  Sizes primes;
  for (std::int64_t p = 2; p * p <= n; ++p) {
    for (; n % p == 0; n /= p) primes.insert(primes.begin(), p);
  }
  if (n > 1) primes.insert(primes.begin(), n);
  return primes;
}

// The factors of the features, or of the padded number where one factor would outweigh all others.
Sizes mode_factors(std::int64_t features) {
  Sizes primes = prime_factors(features);
  const bool lopsided = !primes.empty() && primes.front() > features / primes.front();
  return lopsided ? prime_factors(next_2_3_smooth(features)) : primes;
}

// Where to cut a row of pairs into `groups` runs so that the sum of squared log products, and with
// it their distance from equality, is least; among equals, earlier runs are longer. Returns the
// first pair of each run and the end.
std::vector<std::size_t> balanced_cuts(const std::vector<double>& logs, std::size_t groups) {
  const std::size_t n = logs.size();
  constexpr double kTie = 1e-9;  // the same products add up in different orders
  // best[g][i]: least cost of pairs i .. n in g runs; first[g][i]: where the second run starts.
  std::vector best(groups + 1, std::vector(n + 1, std::numeric_limits<double>::infinity()));
  std::vector first(groups + 1, std::vector<std::size_t>(n + 1, n));
  best[0][n] = 0.0;
  for (std::size_t g = 1; g <= groups; ++g) {
    for (std::size_t i = 0; i < n; ++i) {
      double log_product = 0.0;
      for (std::size_t end = i + 1; end <= n; ++end) {
        log_product += logs[end - 1];
        const double cost = log_product * log_product + best[g - 1][end];
        if (cost <= best[g][i] + kTie) {
          best[g][i] = cost;
          first[g][i] = end;
        }
      }
    }
  }
  std::vector<std::size_t> cuts = {0};
  for (std::size_t g = groups; g > 0; --g) cuts.push_back(first[g][cuts.back()]);
  return cuts;
}

// Pairs merged into `groups` cores.
TtmShape merge_pairs(const Sizes& in, const Sizes& out, std::size_t groups) {
  std::vector<double> logs;
  for (std::size_t i = 0; i < in.size(); ++i) {
    logs.push_back(std::log2(static_cast<double>(in[i])) + std::log2(static_cast<double>(out[i])));
  }
  const std::vector<std::size_t> cuts = balanced_cuts(logs, groups);
  TtmShape shape;
  for (std::size_t g = 0; g < groups; ++g) {
    shape.in.push_back(1);
    shape.out.push_back(1);
    for (std::size_t i = cuts[g]; i < cuts[g + 1]; ++i) {
      shape.in.back() *= in[i];
      shape.out.back() *= out[i];
    }
  }
  return shape;
}

// The last core may be smaller: its bond is as wide as it can use.
bool modes_carry(const TtmShape& shape, std::int64_t rank) {
  for (int k = 0; k + 1 < shape.num_cores(); ++k) {
    if (shape.mode(k) < rank) return false;
  }
  return true;
}

}  // namespace

std::int64_t next_2_3_smooth(std::int64_t n) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 40;
  TY_CHECK(n >= 1 && n <= kLimit, "{} is not a feature count", n);
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t threes = 1; threes < 3 * n; threes *= 3) {
    std::int64_t candidate = threes;
    while (candidate < n) candidate *= 2;
    best = std::min(best, candidate);
  }
  return best;
}

TtmShape choose_shape(std::int64_t in_features, std::int64_t out_features, std::int64_t rank,
                      int max_cores) {
  if (in_features < 1 || out_features < 1 || rank < 1 || max_cores < 1) {
    throw ConfigError(
        "ttm: no shape for {} x {} features, rank {} and at most {} cores; all must "
        "be 1 or more",
        in_features, out_features, rank, max_cores);
  }
  Sizes in = mode_factors(in_features), out = mode_factors(out_features);
  const std::size_t pairs = std::max({in.size(), out.size(), std::size_t{1}});
  in.resize(pairs, 1);
  out.resize(pairs, 1);
  std::size_t cores = std::min(pairs, static_cast<std::size_t>(max_cores));
  TtmShape shape = merge_pairs(in, out, cores);
  while (!modes_carry(shape, rank)) shape = merge_pairs(in, out, --cores);
  return with_rank(shape.in, shape.out, rank);
}

TtmShape choose_modes(std::int64_t in_features, std::int64_t out_features, std::int64_t weights,
                      int max_cores) {
  TtmShape modes = choose_shape(in_features, out_features, 1, max_cores);
  if (modes.num_parameters() > weights) return modes;
  // Modes depend on the rank, and the rank on the modes; fewer cores may not fit at all.
  for (int i = 0; i < 4; ++i) {
    const std::int64_t rank = rank_for_budget(modes, weights);
    const TtmShape again = choose_shape(in_features, out_features, rank, max_cores);
    const TtmShape least = with_rank(again.in, again.out, 1);
    if (least == modes || least.num_parameters() > weights) break;
    modes = least;
  }
  return modes;
}

}  // namespace ty
