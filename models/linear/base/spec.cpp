#include "models/linear/base/spec.h"

#include <cmath>

#include "core/base/error.h"
#include "core/config/fields.h"
#include "models/linear/base/replicated.h"

namespace ty {

void check(const LinearSpec& spec, config::Checks& checks) {
  if (const auto fault = fault_of(spec)) checks.fail(fault->key, "{}", fault->message);
}

LinearSpec resolved(const LinearSpec& spec, const LinearShape& shape) {
  if (const auto fault = spec.kind_->fault()) {
    throw ConfigError("{}: {}: {}", kind_name(spec), fault->key, fault->message);
  }
  return spec.kind_->resolve(shape);
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LinearSpec& spec, Split split, const Sharing& sharing) {
  const int ranks = sharing.ranks();
  if (ranks == 1 || split == Split::none || spec.kind_->divides(shape, split, ranks)) {
    return spec.kind_->make(scope, shape, split, sharing);
  }
  return make_replicated(scope, shape, split, sharing, [&](const Scope& placed) {
    return spec.kind_->make(placed, shape, Split::none, {});
  });
}

std::int64_t weights_in_share(double share, const LinearShape& shape) {
  const double all = static_cast<double>(shape.in) * static_cast<double>(shape.out);
  // 0.29 of 100 is 28.999999999999996 in binary.
  return static_cast<std::int64_t>(std::floor(share * all * (1.0 + 1e-12)));
}

}  // namespace ty
