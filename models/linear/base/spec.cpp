#include "models/linear/base/spec.h"

#include <cmath>

#include "core/base/error.h"
#include "core/config/fields.h"
#include "models/linear/base/replicated.h"

namespace ty {

std::string obstacle_of_kind(std::string_view kind, const char* what) {
  return fmt::format("{} layers {}", kind, what);
}

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
  const LinearLayout layout = layout_of(spec, shape, split, sharing);
  if (sharing.ranks() == 1 || split == Split::none || layout == LinearLayout::split) {
    return spec.kind_->make(scope, shape, split, sharing);
  }
  if (layout == LinearLayout::rank) {
    throw ConfigError("layout: rank cannot be alone: {} lies between layers that are split",
                      scope.path());
  }
  return make_replicated(scope, shape, split, sharing, [&](const Scope& placed) {
    return spec.kind_->make(placed, shape, Split::none, {});
  });
}

LinearLayout layout_of(const LinearSpec& spec, const LinearShape& shape, Split split,
                       const Sharing& sharing) {
  const int ranks = sharing.ranks();
  if (ranks == 1) return LinearLayout::automatic;
  if (sharing.layout == LinearLayout::rank) {
    std::string obstacle = spec.kind_->rank_obstacle(ranks);
    if (sharing.rows) obstacle = "wants parallel.sequence: false";
    if (obstacle.empty()) return LinearLayout::rank;
    throw ConfigError("layout: rank over {} ranks: {}", ranks, obstacle);
  }
  if (split == Split::none || sharing.layout == LinearLayout::whole) return LinearLayout::whole;
  const std::string obstacle = spec.kind_->obstacle(shape, split, ranks);
  if (sharing.layout == LinearLayout::split) {
    if (obstacle.empty()) return LinearLayout::split;
    throw ConfigError("layout: split over {} ranks: {}", ranks, obstacle);
  }
  const bool whole = sharing.has_own_rows() && spec.kind_->is_better_whole(shape, ranks);
  return whole || !obstacle.empty() ? LinearLayout::whole : LinearLayout::split;
}

std::int64_t weights_in_share(double share, const LinearShape& shape) {
  const double all = static_cast<double>(shape.in) * static_cast<double>(shape.out);
  // 0.29 of 100 is 28.999999999999996 in binary.
  return static_cast<std::int64_t>(std::floor(share * all * (1.0 + 1e-12)));
}

}  // namespace ty
