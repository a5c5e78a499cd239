#include "models/linear/ttm/ttm_linear.h"

#include <fmt/format.h>

#include "core/ops/bias.h"
#include "core/ops/matmul.h"
#include "models/linear/base/bias.h"
#include "models/linear/ttm/ttm_planner.h"

namespace ty {

namespace {

// Of core k of a whole shape.
Placement placement_of(int k, const TtmShape& whole, Split split, const Sharing& sharing) {
  if (split == Split::none) return {};
  if (k > 0) return placed_inside(sharing);
  return split == Split::out ? placed_part(2, whole.out[0], sharing)
                             : placed_part(1, whole.in[0], sharing);
}

const Parameter* own_bias(const Scope& scope, const LinearShape& shape, Split split,
                          const Sharing& sharing) {
  return split == Split::out ? declare_bias_part(scope, shape, sharing)
                             : declare_bias_outside(scope, shape, sharing);
}

}  // namespace

TtmLayer own_layer(TtmLayer layer, Split split, int ranks) {
  if (split == Split::out) {
    layer.shape.out[0] /= ranks;
    layer.out /= ranks;
  } else if (split == Split::in) {
    layer.shape.in[0] /= ranks;
    layer.in /= ranks;
  }
  return layer;
}

TtmLinear::TtmLinear(const Scope& scope, const LinearShape& shape, const TtmSpec& spec, Split split,
                     const Sharing& sharing)
    : split_(split), sharing_(sharing) {
  const TtmLayer whole = {shape_of(spec), shape.in, shape.out};
  layer_ = own_layer(whole, split, sharing.ranks());
  const std::vector<Init> inits = ttm_inits(whole.shape, shape.weight_std, spec.init, scope.path());
  for (int k = 0; k < whole.shape.num_cores(); ++k) {
    const auto sizes = layer_.shape.core_shape(k);
    const std::string name = fmt::format("core{}", k + 1);
    const Shape own(std::span<const std::int64_t>{sizes});
    const Init& init = inits[static_cast<std::size_t>(k)];
    cores_.push_back(
        split == Split::none
            ? &scope.parameter(name, own, init)
            : &scope.parameter(name, own, init, placement_of(k, whole.shape, split, sharing)));
  }
  bias_ = own_bias(scope, shape, split, sharing);
}

std::vector<Tensor> TtmLinear::cores() const {
  std::vector<Tensor> result;
  for (const Parameter* core : cores_) result.push_back(core->value);
  return result;
}

const TtmPlan& TtmLinear::plan_for(const Tensor& x) const {
  const std::int64_t rows = x.numel() / layer_.in;
  const auto found = plans_.find(rows);
  if (found != plans_.end()) return found->second;
  return plans_
      .emplace(rows, choose_ttm_plan(layer_, rows, default_workspace_limit(layer_),
                                     x.backend().device_model(x.dtype()))
                         .plan)
      .first->second;
}

Tensor TtmLinear::enter(const Tensor& x) const {
  return split_ == Split::out ? ty::enter(x, sharing_) : x;
}

Tensor TtmLinear::product(const Tensor& x, const Tensor& bias, InReplay result) const {
  if (shared_weight_.defined()) {
    return linear(x, shared_weight_, bias, WeightLayout::in_out, result);
  }
  return ttm_linear(x, cores(), bias, layer_, plan_for(x), result);
}

Tensor TtmLinear::apply(const Tensor& x) const {
  if (split_ != Split::in) return product(x, value_of(bias_), InReplay::read);
  return biased(leave(product(x, Tensor(), InReplay::unread), sharing_), value_of(bias_));
}

Tensor TtmLinear::dense_weight() const {
  const NoGrad no_grad;
  return ttm_weight(cores(), layer_, 1);
}

void TtmLinear::begin_step() {
  shared_weight_ = share(ttm_weight(cores(), layer_, cheapest_split(layer_.shape)));
}

void TtmLinear::end_step() { shared_weight_ = Tensor(); }

}  // namespace ty
