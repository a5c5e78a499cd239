#include "models/linear/base/spec.h"

#include <cmath>

#include "core/base/error.h"
#include "core/config/fields.h"
#include "models/linear/base/layout.h"
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
  const SharedLayer layer = {spec, shape, split, layouts_of(spec, shape, split, sharing)};
  Sharing own = sharing;
  own.layout = choose_layout(layer, sharing).layout;
  if (sharing.ranks() == 1 || split == Split::none || own.layout == LinearLayout::split ||
      own.layout == LinearLayout::hidden) {
    const bool is_whole = own.layout == LinearLayout::whole;
    return spec.kind_->make(scope, shape, is_whole ? Split::none : split, own);
  }
  if (own.layout == LinearLayout::rank) {
    throw ConfigError("layout: rank cannot be alone: {} lies between layers that are split",
                      scope.path());
  }
  return make_replicated(scope, shape, split, own, [&](const Scope& placed) {
    return spec.kind_->make(placed, shape, Split::none, {});
  });
}

namespace {

// The layouts of a layer that is shared by rank.
LayoutOptions by_rank(std::string obstacle, const Sharing& sharing) {
  if (sharing.rows) obstacle = "wants parallel.sequence: false";
  if (obstacle.empty()) return {{LinearLayout::rank}, "named"};
  throw ConfigError("layout: rank over {} ranks: {}", sharing.ranks(), obstacle);
}

// Where ranks have own columns outside, as some layers are hidden: svd layers are, others gather
// the columns or are refused.
LayoutOptions among_hidden(const std::string& no_hidden, const std::string& no_split,
                           const Sharing& sharing) {
  const bool can_be_hidden = no_hidden.empty();
  const auto refuse = [&](std::string_view layout, std::string_view why) {
    throw ConfigError("layout: {} over {} ranks{}: {}", layout, sharing.ranks(),
                      layout == "hidden" ? "" : " where another layer is hidden", why);
  };
  if (sharing.rows) refuse("hidden", "wants parallel.sequence: false");
  switch (sharing.layout) {
    case LinearLayout::hidden:
      if (!can_be_hidden) refuse("hidden", no_hidden);
      return {{LinearLayout::hidden}, "named"};
    case LinearLayout::whole:
      refuse("whole", can_be_hidden ? "want hidden" : "want split");
      break;
    case LinearLayout::rank:
      refuse("rank", "want hidden");
      break;
    case LinearLayout::split:
    case LinearLayout::automatic:
      break;
  }
  const bool is_named = sharing.layout == LinearLayout::split;
  if (can_be_hidden) {
    if (is_named) refuse("split", "want hidden");
    return {{LinearLayout::hidden}, "as another layer is"};
  }
  if (!no_split.empty()) refuse(is_named ? "split" : "auto", no_split);
  return {{LinearLayout::split}, is_named ? "named" : "another layer is hidden"};
}

// Of sums that are the same for any number of ranks: the layout may not depend on it.
LayoutOptions canonical(const AnyLinearKind& kind, const std::string& no_whole,
                        const Sharing& sharing) {
  const auto refuse = [&](const char* layout, const std::string& why) {
    throw ConfigError("layout: {} over {} ranks: {}", layout, sharing.ranks(), why);
  };
  const char* const kFast = "wants parallel.reduction: fast";
  const bool is_one = sharing.ranks() == 1, is_whole = sharing.layout == LinearLayout::whole;
  if (!is_one && sharing.columns) refuse("hidden", kFast);
  if (!is_one && sharing.layout == LinearLayout::rank) refuse("rank", kFast);
  if (!is_whole && kind.has_shards()) {
    return {{is_one ? LinearLayout::automatic : LinearLayout::split}, "its sums are canonical"};
  }
  if (!is_one && sharing.layout == LinearLayout::split) {
    refuse("split", fmt::format("canonical sums of {} layers are not divided; want layout: whole, "
                                "or parallel.reduction: fast",
                                kind.name()));
  }
  if (!no_whole.empty()) refuse("whole", no_whole);
  return {{is_one && !is_whole ? LinearLayout::automatic : LinearLayout::whole},
          "its sums are canonical"};
}

LayoutOptions named(LinearLayout layout, const char* name, const std::string& obstacle, int ranks) {
  if (obstacle.empty()) return {{layout}, "named"};
  throw ConfigError("layout: {} over {} ranks: {}", name, ranks, obstacle);
}

}  // namespace

LayoutOptions layouts_of(const LinearSpec& spec, const LinearShape& shape, Split split,
                         const Sharing& sharing) {
  const int ranks = sharing.ranks();
  if (sharing.is_canonical() && split != Split::none) {
    return canonical(*spec.kind_, obstacle_to_whole(shape, split, sharing), sharing);
  }
  if (ranks == 1) return {{LinearLayout::automatic}, "one rank has it"};
  if (sharing.columns) {
    return among_hidden(spec.kind_->hidden_obstacle(), spec.kind_->obstacle(shape, split, ranks),
                        sharing);
  }
  if (sharing.layout == LinearLayout::rank)
    return by_rank(spec.kind_->rank_obstacle(ranks), sharing);
  if (split == Split::none) return {{LinearLayout::whole}, "outside"};
  const std::string no_whole = obstacle_to_whole(shape, split, sharing);
  if (sharing.layout == LinearLayout::whole) {
    return named(LinearLayout::whole, "whole", no_whole, ranks);
  }
  const std::string no_split = spec.kind_->obstacle(shape, split, ranks);
  if (sharing.layout == LinearLayout::split) {
    return named(LinearLayout::split, "split", no_split, ranks);
  }
  if (!no_split.empty() && !no_whole.empty()) {
    throw ConfigError("over {} ranks: no part each, as {}; nor all of it, as {}", ranks, no_split,
                      no_whole);
  }
  if (!no_split.empty()) return {{LinearLayout::whole}, no_split};
  if (!no_whole.empty()) return {{LinearLayout::split}, no_whole};
  // What is whole takes no more memory than a rank's part of a dense layer.
  if (spec.kind_->weights(shape) > shape.in * shape.out / ranks) {
    return {{LinearLayout::split},
            fmt::format("whole, it takes more than 1/{} of a dense layer", ranks)};
  }
  return {{LinearLayout::split, LinearLayout::whole}};
}

RankWork work_of(const LinearSpec& spec, const LinearShape& shape, LinearLayout layout, Split split,
                 const Sharing& sharing) {
  if (layout == LinearLayout::split) return spec.kind_->split_work(shape, split, sharing);
  const std::int64_t tokens = sharing.has_own_rows() ? kStepTokens / sharing.ranks() : kStepTokens;
  return whole_work(spec.kind_->seconds(shape, tokens),
                    static_cast<double>(spec.kind_->weights(shape)), shape, split, sharing);
}

WeightShards shards_of(const LinearShape& shape, Split split, const Sharing& sharing) {
  if (split == Split::out) return {WeightShards::Along::out, own_shards(shape.out, sharing)};
  return {WeightShards::Along::in, own_shards(shape.in, sharing)};
}

std::int64_t weights_in_share(double share, const LinearShape& shape) {
  const double all = static_cast<double>(shape.in) * static_cast<double>(shape.out);
  // 0.29 of 100 is 28.999999999999996 in binary.
  return static_cast<std::int64_t>(std::floor(share * all * (1.0 + 1e-12)));
}

}  // namespace ty
