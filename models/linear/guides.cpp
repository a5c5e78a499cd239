#include "models/linear/guides.h"

namespace ty {

std::vector<LinearRule> without_guides(std::vector<LinearRule> rules, std::int64_t steps) {
  for (LinearRule& rule : rules) {
    const auto* guided = rule.spec.as<GuidedSpec>();
    if (guided == nullptr || guided->steps > steps) continue;
    const LinearSpec own = guided->of;
    rule.spec = own;
  }
  return rules;
}

}  // namespace ty
