#include "models/linear/ttm/ttm_linear.h"

#include <fmt/format.h>

#include <utility>

#include "core/ops/bias.h"
#include "core/ops/matmul.h"
#include "models/linear/base/bias.h"
#include "models/linear/ttm/ttm_planner.h"

namespace ty {

namespace {

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

const Parameter& TtmScope::first(const std::string& name, const TtmShape& whole,
                                 const Init& init) const {
  auto sizes = whole.core_shape(0);
  if (split_ == Split::none) return scope_.parameter(name, Shape(std::span(sizes)), init);
  const std::size_t inside = split_ == Split::out ? 2 : 1;
  const Placement placement = placed_part(static_cast<int>(inside), sizes[inside], sharing_);
  sizes[inside] /= sharing_.ranks();
  return scope_.parameter(name, Shape(std::span(sizes)), init, placement);
}

const Parameter& TtmScope::other(const std::string& name, Shape shape, const Init& init) const {
  if (split_ == Split::none) return scope_.parameter(name, shape, init);
  return scope_.parameter(name, shape, init, placed_inside(sharing_));
}

std::vector<const Parameter*> TtmScope::cores(const TtmShape& whole,
                                              const std::vector<Init>& inits) const {
  std::vector<const Parameter*> all = {&first("core1", whole, inits[0])};
  for (int k = 1; k < whole.num_cores(); ++k) {
    const auto sizes = whole.core_shape(k);
    all.push_back(&other(fmt::format("core{}", k + 1), Shape(std::span(sizes)),
                         inits[static_cast<std::size_t>(k)]));
  }
  return all;
}

std::vector<Tensor> values_of(const std::vector<const Parameter*>& parameters) {
  std::vector<Tensor> values;
  for (const Parameter* parameter : parameters) values.push_back(parameter->value);
  return values;
}

TtmLinear::TtmLinear(const Scope& scope, const LinearShape& shape, const TtmShape& whole,
                     Cores cores, Split split, const Sharing& sharing)
    : split_(split),
      sharing_(sharing),
      layer_(own_layer({whole, shape.in, shape.out}, split, sharing.ranks())),
      cores_(std::move(cores)),
      bias_(own_bias(scope, shape, split, sharing)) {}

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
  return ttm_linear(x, cores_(), bias, layer_, plan_for(x), result);
}

Tensor TtmLinear::apply(const Tensor& x) const {
  if (split_ != Split::in) return product(x, value_of(bias_), InReplay::read);
  return biased(leave(product(x, Tensor(), InReplay::unread), sharing_), value_of(bias_));
}

Tensor TtmLinear::dense_weight() const {
  const NoGrad no_grad;
  return ttm_weight(cores_(), layer_, 1);
}

void TtmLinear::begin_step() {
  shared_weight_ = share(ttm_weight(cores_(), layer_, cheapest_split(layer_.shape)));
}

void TtmLinear::end_step() { shared_weight_ = Tensor(); }

}  // namespace ty
