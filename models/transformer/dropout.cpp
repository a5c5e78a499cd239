#include "models/transformer/dropout.h"

#include "core/ops/elementwise.h"

namespace ty {

Dropout::Dropout(const Scope& scope, double p) : p_(p), site_(site_id(scope.path())) {}

DropoutMask Dropout::mask(const ForwardContext& context) const {
  const double p = context.training ? p_ : 0.0;
  return {p, RandomStream(context.seed, site_, static_cast<std::uint64_t>(context.step)),
          context.batch.first_sample};
}

Tensor Dropout::operator()(const Tensor& x, const ForwardContext& context) const {
  return dropout(x, mask(context));
}

}  // namespace ty
