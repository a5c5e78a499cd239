#include "models/linear/guides.h"

#include <algorithm>

namespace ty {

std::int64_t last_draw(const std::vector<LinearRule>& rules) {
  std::int64_t last = 0;
  for (const LinearRule& rule : rules) {
    const auto* guided = rule.spec.as<GuidedSpec>();
    if (guided != nullptr && guided->mix == GuideMix::draw) last = std::max(last, guided->steps);
  }
  return last;
}

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
