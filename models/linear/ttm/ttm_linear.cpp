#include "models/linear/ttm/ttm_linear.h"

#include <fmt/format.h>

#include "core/ops/matmul.h"
#include "models/linear/ttm/ttm_planner.h"

namespace ty {

TtmLinear::TtmLinear(const Scope& scope, const LinearShape& shape, const TtmSpec& spec)
    : map_{shape_of(spec), shape.in, shape.out} {
  const std::vector<Init> inits = ttm_inits(map_.shape, shape.weight_std, spec.init, scope.path());
  for (int k = 0; k < map_.shape.num_cores(); ++k) {
    const auto sizes = map_.shape.core_shape(k);
    cores_.push_back(&scope.parameter(fmt::format("core{}", k + 1),
                                      Shape(std::span<const std::int64_t>(sizes)),
                                      inits[static_cast<std::size_t>(k)]));
  }
  bias_ = shape.bias ? &scope.parameter("bias", {shape.out}, Init::constant(0.0)) : nullptr;
}

std::vector<Tensor> TtmLinear::cores() const {
  std::vector<Tensor> result;
  for (const Parameter* core : cores_) result.push_back(core->value);
  return result;
}

const TtmPlan& TtmLinear::plan_for(const Tensor& x) const {
  const std::int64_t rows = x.numel() / map_.in;
  const auto found = plans_.find(rows);
  if (found != plans_.end()) return found->second;
  return plans_
      .emplace(rows, choose_ttm_plan(map_, rows, default_workspace_limit(map_),
                                     x.backend().device_model(x.dtype()))
                         .plan)
      .first->second;
}

Tensor TtmLinear::forward(const Tensor& x) const {
  const Tensor bias = bias_ != nullptr ? bias_->value : Tensor();
  if (shared_weight_.defined()) return linear(x, shared_weight_, bias);
  return ttm_linear(x, cores(), bias, map_, plan_for(x));
}

Tensor TtmLinear::dense_weight() const {
  const NoGrad no_grad;
  return ttm_weight(cores(), map_, 1);
}

void TtmLinear::begin_step() {
  shared_weight_ = share(ttm_weight(cores(), map_, cheapest_split(map_.shape)));
}

void TtmLinear::end_step() { shared_weight_ = Tensor(); }

}  // namespace ty
