// How long the guides of a model's layers last.
#pragma once

#include <cstdint>
#include <vector>

#include "models/linear/guided/guided.h"
#include "models/linear/rules.h"

namespace ty {

// The steps after which no layer draws its guide any more; 0: none does.
std::int64_t last_draw(const std::vector<LinearRule>& rules);

// The rules of a model that has been trained for so many steps: guides that have faded out are
// gone.
std::vector<LinearRule> without_guides(std::vector<LinearRule> rules, std::int64_t steps);

}  // namespace ty
