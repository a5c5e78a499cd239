#include "models/transformer/partition.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/error.h"

namespace ty {

int Partition::stage_of(std::size_t block) const {
  const auto found = std::find_if(ranges.begin(), ranges.end(),
                                  [&](const BlockRange& range) { return range.has(block); });
  TY_CHECK(found != ranges.end(), "block {} is on no stage", block);
  return static_cast<int>(found - ranges.begin()) % stages;
}

Partition one_stage(std::size_t blocks) { return {1, {{0, blocks}}}; }

// best[k][n]: the least possible cost of the costliest of k ranges over the first n blocks.
Partition balanced_partition(std::span<const double> costs, int stages, int chunks) {
  const std::size_t n = costs.size(), parts = static_cast<std::size_t>(stages * chunks);
  TY_CHECK(parts >= 1 && parts <= n, "{} blocks cannot be cut into {} parts", n, parts);
  std::vector<double> until(n + 1, 0.0);
  std::partial_sum(costs.begin(), costs.end(), until.begin() + 1);
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::vector best(parts + 1, std::vector<double>(n + 1, kNever));
  std::vector begin(parts + 1, std::vector<std::size_t>(n + 1, 0));
  best[0][0] = 0.0;
  for (std::size_t k = 1; k <= parts; ++k) {
    for (std::size_t last = k; last <= n; ++last) {
      for (std::size_t first = k - 1; first < last; ++first) {
        const double cost = std::max(best[k - 1][first], until[last] - until[first]);
        if (cost <= best[k][last]) {
          best[k][last] = cost;
          begin[k][last] = first;
        }
      }
    }
  }
  Partition partition = {stages, std::vector<BlockRange>(parts)};
  for (std::size_t k = parts, last = n; k > 0; --k) {
    partition.ranges[k - 1] = {begin[k][last], last};
    last = begin[k][last];
  }
  return partition;
}

}  // namespace ty
