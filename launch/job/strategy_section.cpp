#include "launch/job/strategy_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "launch/job/limits.h"

namespace ty {

using config::between;
using config::required;

namespace {

config::Rule known_methods() {
  config::Rule rule = required();
  for (const Method& method : methods()) rule.choices.emplace_back(method.name);
  return rule;
}

std::string budget_text(const StrategyPhase& phase) {
  if (phase.rank > 0) return fmt::format("rank {}", phase.rank);
  if (phase.keep > 0) return fmt::format("keep {}", phase.keep);
  return fmt::format("error {}", phase.error);
}

}  // namespace

void fields(config::Fields& f, StrategyPhase& phase) {
  f.field("match", phase.match, "patterns of linear layers that are cut", required());
  f.field("method", phase.method, "of trainyard compress", known_methods());
  f.field("rank", phase.rank, "of every bond; 0: by keep or error", between(0, kMostFeatures));
  f.field("keep", phase.keep,
          "at most this share of the weights that a dense layer has; 0: by rank or error",
          config::at_least(0).at_most(1).percent());
  f.field("error", phase.error, "the lowest ranks with |W - W~| <= error |W|; 0: by rank or keep",
          config::at_least(0).below(1).percent());
  f.field(
      "allocate", phase.allocate,
      "even: keep of each layer; sensitivity: keep of all together, each layer getting the ranks "
      "that gain most",
      {{"even", Allocation::even}, {"sensitivity", Allocation::sensitivity}});
  f.field(
      "examples", phase.examples,
      "of data.train, evenly spread, of which a method that weighs errors (fwsvd, whitened, ..) "
      "takes statistics first; 0: all",
      between(0, kMostSequences));
  f.field("steps", phase.steps, "of tuning, after the cut", between(1, kMostSteps).required());
}

void check(const StrategyPhase& phase, config::Checks& checks) {
  if (phase.match.empty()) checks.fail("match", "names no layer");
  const int stated = (phase.rank > 0) + (phase.keep > 0) + (phase.error > 0);
  if (stated != 1) checks.fail("keep", "{} of rank, keep and error are stated; want one", stated);
  const Method& method = method_of(phase);
  if (phase.allocate == Allocation::sensitivity &&
      (method.spectrum == nullptr || phase.keep == 0)) {
    checks.fail("allocate", "sensitivity divides keep among layers of one rank each, as svd makes");
  }
}

const Method& method_of(const StrategyPhase& phase) {
  return *std::find_if(methods().begin(), methods().end(),
                       [&](const Method& method) { return method.name == phase.method; });
}

DecompositionRequest request_of(const StrategyPhase& phase) {
  DecompositionRequest request = {.budget = ErrorBudget{phase.error}, .steps = phase.steps};
  if (phase.rank > 0) request.budget = RankBudget{phase.rank};
  if (phase.keep > 0) request.budget = ShareBudget{phase.keep};
  return request;
}

std::string describe(const std::vector<StrategyPhase>& strategy, std::size_t phase) {
  const StrategyPhase& own = strategy.at(phase);
  return fmt::format("phase {} of {}: {}, {} of {}, then {} steps", phase + 1, strategy.size(),
                     own.method, budget_text(own), fmt::join(own.match, " "), own.steps);
}

}  // namespace ty
