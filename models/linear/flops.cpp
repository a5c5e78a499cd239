#include "models/linear/flops.h"

#include "models/linear/ttm_planner.h"
#include "models/linear/ttm_spec.h"

namespace ty {

double forward_flops(const LinearSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  if (const auto* ttm = std::get_if<TtmSpec>(&spec)) {
    const TtmMap map = {shape_of(*ttm), shape.in, shape.out};
    const TtmPlan plan = choose_ttm_plan(map, tokens).plan;
    return cost_of(plan.forward, map, tokens).flops;
  }
  // A token meets every weight once.
  return 2.0 * static_cast<double>(num_weights(spec, shape)) * static_cast<double>(tokens);
}

}  // namespace ty
