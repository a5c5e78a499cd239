// Chooses how a TTM layer is executed: the cheapest plan whose transient memory fits the limit.
#pragma once

#include <string>
#include <vector>

#include "models/linear/ttm/ttm_cost.h"

namespace ty {

// A pass that was considered.
template <typename Pass>
struct Candidate {
  Pass pass;
  PassCost cost;
  bool fits = true;
};

struct TtmChoice {
  TtmPlan plan;
  // All that were considered, fastest first.
  std::vector<Candidate<TtmPass>> forward;
  std::vector<Candidate<BackwardPass>> backward;
};

// The default limit of transient bytes: W and dW of the dense layer, which a dense layer holds
// permanently.
std::int64_t default_workspace_limit(const TtmLayer& layer);

// The plan for a number of rows (tokens) on a device; it does not depend on the number of workers.
// If nothing fits the limit, the plan with the least memory.
TtmChoice choose_ttm_plan(const TtmLayer& layer, std::int64_t rows, std::int64_t workspace_limit,
                          const DeviceModel& device = host_device(2));
inline TtmChoice choose_ttm_plan(const TtmLayer& layer, std::int64_t rows) {
  return choose_ttm_plan(layer, rows, default_workspace_limit(layer));
}

// The split for which forming W takes the fewest operations.
int cheapest_split(const TtmShape& shape);

// Every contiguous grouping of n cores: {1, 1, 1}, {1, 2}, {2, 1}, {3}.
std::vector<std::vector<int>> groupings(int n);

}  // namespace ty
