#include "models/linear/ttm/ttm_planner.h"

#include <algorithm>
#include <map>

#include "models/linear/ttm/chain_program.h"

namespace ty {

namespace {

constexpr std::int64_t kWide = 128;  // columns that make products worth their calls

// So many rows at a time that the widest state of a chain stays in cache.
std::int64_t piece_of(const TtmShape& shape, const ChainPass& pass, const WorkShape& work) {
  if (work.piece_numbers == 0) return 0;
  std::int64_t widest = 1;
  for (const ChainStep& step : chain_program(shape, pass).steps) {
    widest = std::max({widest, row_size(step.operand), row_size(step.result)});
  }
  const std::int64_t least = work.least_rows;
  return std::max(least, work.piece_numbers / widest / least * least);
}

std::vector<TtmPass> dense_passes(const TtmShape& shape) {
  std::vector<TtmPass> result;
  const int split = cheapest_split(shape);
  for (int panels = 1; panels <= shape.out[0]; ++panels) {
    if (shape.out[0] % panels == 0) result.push_back(DensePass{split, panels});
  }
  return result;
}

enum class Columns : std::uint8_t { none, too };

std::vector<TtmPass> chain_passes(const TtmShape& shape, Columns columns, const WorkShape& work) {
  std::vector<TtmPass> result;
  const auto add = [&](ChainPass pass) {
    pass.tokens = piece_of(shape, pass, work);
    result.push_back(pass);
  };
  for (const std::vector<int>& groups : groupings(shape.num_cores())) {
    if (groups.size() == 1) continue;  // W itself, without the panels
    for (const ChainOrder order : {ChainOrder::from_left, ChainOrder::from_right}) {
      add({groups, order});
      if (columns == Columns::none) continue;
      const ChainPass wide = {groups, order, 0, kWide};
      const auto steps = chain_program(shape, wide).steps;
      const bool differs = std::any_of(steps.begin(), steps.end(),
                                       [](const ChainStep& step) { return step.columns > 1; });
      if (differs) add(wide);
    }
  }
  return result;
}

// What all choices of one call have in common.
struct Problem {
  const TtmLayer& layer;
  std::int64_t rows, workspace_limit;
  const DeviceModel& device;
};

template <typename Pass>
std::vector<Candidate<Pass>> ranked(const std::vector<Pass>& passes, const Problem& problem) {
  std::multimap<double, Candidate<Pass>> by_seconds;
  for (const Pass& pass : passes) {
    const PassCost cost = cost_of(pass, problem.layer, problem.rows, problem.device);
    const bool fits = cost.workspace <= problem.workspace_limit;
    by_seconds.emplace(cost.seconds, Candidate<Pass>{pass, cost, fits});
  }
  std::vector<Candidate<Pass>> result;
  for (const auto& [seconds, candidate] : by_seconds) result.push_back(candidate);
  return result;
}

template <typename Pass>
const Pass& best_of(const std::vector<Candidate<Pass>>& candidates) {
  const auto fits = std::find_if(candidates.begin(), candidates.end(),
                                 [](const auto& each) { return each.fits; });
  if (fits != candidates.end()) return fits->pass;
  return std::min_element(
             candidates.begin(), candidates.end(),
             [](const auto& a, const auto& b) { return a.cost.workspace < b.cost.workspace; })
      ->pass;
}

std::vector<TtmPass> all_passes(const TtmShape& shape, Columns columns, const WorkShape& work) {
  std::vector<TtmPass> result = dense_passes(shape);
  for (const TtmPass& pass : chain_passes(shape, columns, work)) result.push_back(pass);
  return result;
}

// Both gradients by one pass (with rows: the thin gradient of a factor from each item is slow), or
// the input's by the best chain and the cores' by dW.
std::vector<BackwardPass> backward_passes(const Problem& problem) {
  std::vector<BackwardPass> result;
  const WorkShape& work = problem.device.work;
  for (const TtmPass& pass : all_passes(problem.layer.shape, Columns::none, work)) {
    result.push_back({pass});
  }
  const TtmLayer back = transposed(problem.layer);
  const Problem input = {back, problem.rows, problem.workspace_limit, problem.device};
  const auto chains = ranked(chain_passes(back.shape, Columns::too, work), input);
  if (chains.empty()) return result;
  const TtmPass& best = best_of(chains);
  for (const TtmPass& pass : dense_passes(problem.layer.shape)) {
    result.push_back({.cores = pass, .input = best});
  }
  return result;
}

}  // namespace

std::int64_t default_workspace_limit(const TtmLayer& layer) { return 2 * 4 * layer.in * layer.out; }

int cheapest_split(const TtmShape& shape) {
  const TtmLayer layer = {shape, shape.padded_in(), shape.padded_out()};
  int best = 1;
  double least = 0;
  for (int split = 1; split <= shape.num_cores(); ++split) {
    // Every split multiplies by W the same; what differs is making W.
    const double flops = cost_of(DensePass{split, 1}, layer, 1).flops;
    if (split == 1 || flops < least) {
      best = split;
      least = flops;
    }
  }
  return best;
}

std::vector<std::vector<int>> groupings(int n) {
  if (n == 0) return {{}};
  std::vector<std::vector<int>> result;
  for (int first = 1; first <= n; ++first) {
    for (std::vector<int> rest : groupings(n - first)) {
      rest.insert(rest.begin(), first);
      result.push_back(std::move(rest));
    }
  }
  return result;
}

TtmChoice choose_ttm_plan(const TtmLayer& layer, std::int64_t rows, std::int64_t workspace_limit,
                          const DeviceModel& device) {
  const Problem problem = {layer, rows, workspace_limit, device};
  TtmChoice choice;
  choice.forward = ranked(all_passes(layer.shape, Columns::too, device.work), problem);
  choice.backward = ranked(backward_passes(problem), problem);
  choice.plan = {best_of(choice.forward), best_of(choice.backward)};
  return choice;
}

}  // namespace ty
