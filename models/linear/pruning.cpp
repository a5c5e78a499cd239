#include "models/linear/pruning.h"

namespace ty {

std::vector<LinearRule> with_ended_pruning(std::vector<LinearRule> rules, std::int64_t steps) {
  for (LinearRule& rule : rules) {
    const auto* pruned = rule.spec.as<PrunedSpec>();
    if (pruned == nullptr || pruned->end > steps) continue;
    rule.spec = PrunedSpec{.keep = pruned->keep};
  }
  return rules;
}

}  // namespace ty
