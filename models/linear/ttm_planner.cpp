#include "models/linear/ttm_planner.h"

#include <algorithm>
#include <map>

#include "models/linear/chain_program.h"

namespace ty {

namespace {

// Of the widest state: a quarter MiB: all that a piece goes through stays in a core's cache.
constexpr std::int64_t kPieceNumbers = std::int64_t{1} << 16;
constexpr std::int64_t kLeastPiece = 8;

// So many rows at a time that the widest state of a chain stays in cache.
std::int64_t piece_of(const TtmShape& shape, const ChainPass& pass) {
  std::int64_t widest = 1;
  for (const ChainStep& step : chain_program(shape, pass).steps) {
    widest = std::max({widest, row_size(step.operand), row_size(step.result)});
  }
  return std::max(kLeastPiece, kPieceNumbers / widest / kLeastPiece * kLeastPiece);
}

std::vector<TtmPass> all_passes(const TtmShape& shape) {
  std::vector<TtmPass> result;
  const int split = cheapest_split(shape);
  for (int panels = 1; panels <= shape.out[0]; ++panels) {
    if (shape.out[0] % panels == 0) result.push_back(DensePass{split, panels});
  }
  for (const std::vector<int>& groups : groupings(shape.num_cores())) {
    if (groups.size() == 1) continue;  // W itself, without the panels
    for (const ChainOrder order : {ChainOrder::from_left, ChainOrder::from_right}) {
      ChainPass pass = {groups, order, 0};
      pass.tokens = piece_of(shape, pass);
      result.push_back(pass);
    }
  }
  return result;
}

std::vector<Candidate> rank_passes(const TtmMap& map, Direction direction, std::int64_t rows,
                                   std::int64_t workspace_limit, const CostModel& model) {
  std::multimap<double, Candidate> by_seconds;
  for (const TtmPass& pass : all_passes(map.shape)) {
    const PassCost cost = cost_of(pass, direction, map, rows, model);
    by_seconds.emplace(cost.seconds, Candidate{pass, cost, cost.workspace <= workspace_limit});
  }
  std::vector<Candidate> result;
  for (const auto& [seconds, candidate] : by_seconds) result.push_back(candidate);
  return result;
}

const TtmPass& best_of(const std::vector<Candidate>& candidates) {
  const auto fits = std::find_if(candidates.begin(), candidates.end(),
                                 [](const Candidate& each) { return each.fits; });
  if (fits != candidates.end()) return fits->pass;
  return std::min_element(candidates.begin(), candidates.end(),
                          [](const Candidate& a, const Candidate& b) {
                            return a.cost.workspace < b.cost.workspace;
                          })
      ->pass;
}

}  // namespace

std::int64_t default_workspace_limit(const TtmMap& map) { return 2 * 4 * map.in * map.out; }

int cheapest_split(const TtmShape& shape) {
  const TtmMap map = {shape, shape.padded_in(), shape.padded_out()};
  int best = 1;
  double least = 0;
  for (int split = 1; split <= shape.num_cores(); ++split) {
    // Every split multiplies by W the same; what differs is making W.
    const double flops = cost_of(DensePass{split, 1}, Direction::forward, map, 1).flops;
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

TtmChoice choose_ttm_plan(const TtmMap& map, std::int64_t rows, std::int64_t workspace_limit,
                          const CostModel& model) {
  TtmChoice choice;
  choice.forward = rank_passes(map, Direction::forward, rows, workspace_limit, model);
  choice.backward = rank_passes(map, Direction::backward, rows, workspace_limit, model);
  choice.plan = {best_of(choice.forward), best_of(choice.backward)};
  return choice;
}

}  // namespace ty
