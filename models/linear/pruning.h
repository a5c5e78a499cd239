// How far a model's pruned layers are.
#pragma once

#include <cstdint>
#include <vector>

#include "models/linear/pruned/pruned.h"
#include "models/linear/rules.h"

namespace ty {

// The pruned layer that a spec is, or that it is made around; null if there is none.
const PrunedSpec* pruned_in(const LinearSpec& spec);

// The rules of a model that has been trained for so many steps: where the share of a pruned layer
// has reached its end, it stays there, and another run begins with it.
std::vector<LinearRule> with_ended_pruning(std::vector<LinearRule> rules, std::int64_t steps);

}  // namespace ty
