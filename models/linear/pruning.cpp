#include "models/linear/pruning.h"

namespace ty {

namespace {

LinearSpec with_ended_pruning(const LinearSpec& spec, std::int64_t steps) {
  if (const LinearSpec* of = inner_of(spec)) {
    return with_inner(spec, with_ended_pruning(*of, steps));
  }
  const auto* pruned = spec.as<PrunedSpec>();
  return pruned != nullptr && pruned->end <= steps ? PrunedSpec{.keep = pruned->keep} : spec;
}

}  // namespace

const PrunedSpec* pruned_in(const LinearSpec& spec) {
  const LinearSpec* of = inner_of(spec);
  return of != nullptr ? pruned_in(*of) : spec.as<PrunedSpec>();
}

std::vector<LinearRule> with_ended_pruning(std::vector<LinearRule> rules, std::int64_t steps) {
  for (LinearRule& rule : rules) rule.spec = with_ended_pruning(rule.spec, steps);
  return rules;
}

}  // namespace ty
