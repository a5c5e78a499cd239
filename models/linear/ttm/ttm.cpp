#include "models/linear/ttm/ttm.h"

#include <algorithm>

#include "core/base/error.h"
#include "models/linear/base/factor_init.h"
#include "models/linear/ttm/choose_shape.h"
#include "models/linear/ttm/ttm_linear.h"
#include "models/linear/ttm/ttm_planner.h"

namespace ty {

namespace {

constexpr std::int64_t kMostWeights = std::int64_t{1} << 40;  // of one layer

// The rank for a share of the dense weights.
std::int64_t rank_of(const TtmShape& modes, double keep, const LinearShape& shape) {
  const TtmShape least = with_rank(modes.in, modes.out, 1);
  check_budget(keep, shape, least.num_parameters(), "ttm " + to_string(least));
  return rank_for_budget(modes, weights_in_share(keep, shape));
}

// Modes and rank for a share of the weights.
TtmShape shape_for_share(double keep, const LinearShape& shape, int cores) {
  const TtmShape modes = choose_modes(shape.in, shape.out, weights_in_share(keep, shape), cores);
  return with_rank(modes.in, modes.out, rank_of(modes, keep, shape));
}

TtmShape shape_for(const TtmSpec& spec, const LinearShape& shape) {
  if (spec.in.empty()) {
    const int cores = static_cast<int>(spec.cores);
    return spec.keep > 0 ? shape_for_share(spec.keep, shape, cores)
                         : choose_shape(shape.in, shape.out, spec.rank, cores);
  }
  if (!spec.ranks.empty()) return with_ranks(spec.in, spec.out, spec.ranks);
  TtmShape result = with_rank(spec.in, spec.out, spec.keep > 0 ? 1 : spec.rank);
  validate(result, shape.in, shape.out);
  if (spec.keep == 0) return result;
  return with_rank(spec.in, spec.out, rank_of(result, spec.keep, shape));
}

// Padding that a smaller mode would save.
void check_padding(const char* side, const std::vector<std::int64_t>& modes, std::int64_t product,
                   std::int64_t features) {
  if (product / 2 < features) return;
  throw ConfigError(
      "ttm: {} modes {} multiply to {}, twice the layer's {} {} features or more; want a product "
      "from {} to {}",
      side, list_of(modes), product, features, side, features, 2 * features - 1);
}

}  // namespace

void fields(config::Fields& f, TtmSpec& s) {
  using config::between;
  f.field("in", s.in, "input modes, core by core; none: chosen and printed", between(1, kMostSize));
  f.field("out", s.out, "output modes, as many; none: chosen and printed", between(1, kMostSize));
  f.when("in", s.in.empty(), "without in and out", [&] {
    f.field("cores", s.cores, "cores at most, where modes are chosen", between(1, 6));
  });
  f.field("rank", s.rank, "rank of every bond; 0: by ranks or keep", between(0, kMostSize));
  f.field("ranks", s.ranks, "rank of each inner bond", between(1, kMostSize));
  keep_field(f, s.keep);
  f.field("clip_ranks", s.clip_ranks, "cut ranks to what the modes can use");
  init_field(f, s.init);
}

std::optional<SpecFault> fault_of(const TtmSpec& spec) {
  const std::size_t cores = spec.in.size();
  if (cores != spec.out.size()) {
    return SpecFault{"out", fmt::format("{} has {} mode{}, but in = {} has {}; state one of each "
                                        "per core, or neither",
                                        list_of(spec.out), spec.out.size(),
                                        spec.out.size() == 1 ? "" : "s", list_of(spec.in), cores)};
  }
  if (cores == 0 && !spec.ranks.empty()) {
    return SpecFault{"ranks", fmt::format("{} for each bond want modes in and out; state them, or "
                                          "rank instead",
                                          list_of(spec.ranks))};
  }
  if (!spec.ranks.empty() && spec.ranks.size() + 1 != cores) {
    return SpecFault{
        "ranks", fmt::format("{} has {}, but {} cores have {} inner bond{}", list_of(spec.ranks),
                             spec.ranks.size(), cores, cores - 1, cores == 2 ? "" : "s")};
  }
  if (cores == 1) return std::nullopt;  // no bond
  return fault_of_size({{"rank", spec.rank != 0, fmt::format("{}", spec.rank)},
                        {"ranks", !spec.ranks.empty(), list_of(spec.ranks)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

TtmSpec resolved(const TtmSpec& spec, const LinearShape& shape) {
  TtmShape result = shape_for(spec, shape);
  validate(result, shape.in, shape.out);
  check_padding("in", result.in, result.padded_in(), shape.in);
  check_padding("out", result.out, result.padded_out(), shape.out);
  if (spec.clip_ranks) result = clip_ranks(result);
  if (result.num_parameters() > kMostWeights) {
    throw ConfigError("ttm: {} has more than {} weights; lower the ranks", to_string(result),
                      kMostWeights);
  }
  return exact_spec(result, spec);
}

std::string describe(const TtmSpec& spec) { return "ttm " + to_string(shape_of(spec)); }

std::int64_t num_weights(const TtmSpec& spec, const LinearShape&) {
  return shape_of(spec).num_parameters();
}

double forward_flops(const TtmSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  const TtmLayer layer = {shape_of(spec), shape.in, shape.out};
  return cost_of(choose_ttm_plan(layer, tokens).plan.forward, layer, tokens).flops;
}

Execution execution_of(const TtmSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  const TtmPlan plan = choose_ttm_plan({shape_of(spec), shape.in, shape.out}, tokens).plan;
  return {to_string(plan.forward), to_string(plan.backward)};
}

std::string obstacle_to(const TtmSpec& spec, const LinearShape& shape, Split split, int ranks) {
  const TtmShape modes = shape_of(spec);
  const bool out = split == Split::out;
  const char* side = out ? "out" : "in";
  const std::vector<std::int64_t>& own = out ? modes.out : modes.in;
  const std::int64_t product = out ? modes.padded_out() : modes.padded_in();
  const std::int64_t features = out ? shape.out : shape.in;
  if (product != features) {
    return fmt::format("{} modes {} multiply to {}, not to the layer's {}", side, list_of(own),
                       product, features);
  }
  if (own[0] % ranks != 0) {
    return fmt::format("the first of the {} modes {} is no multiple of {}", side, list_of(own),
                       ranks);
  }
  return "";
}

namespace {

double seconds_of(const TtmLayer& layer, std::int64_t tokens) {
  const TtmPlan plan = choose_ttm_plan(layer, tokens).plan;
  return cost_of(plan.forward, layer, tokens).seconds +
         cost_of(plan.backward, layer, tokens).seconds;
}

}  // namespace

double pass_seconds(const TtmSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return seconds_of({shape_of(spec), shape.in, shape.out}, tokens);
}

RankWork work_when_split(const TtmSpec& spec, const LinearShape& shape, Split split,
                         const Sharing& sharing) {
  const int ranks = sharing.ranks();
  const TtmLayer own = own_layer({shape_of(spec), shape.in, shape.out}, split, ranks);
  RankWork work = even_work(0, 0, shape, split, ranks);
  work.seconds = seconds_of(own, kStepTokens);
  work.weights = static_cast<double>(own.shape.num_parameters());
  work.gradients = work.weights - static_cast<double>(own.shape.core_size(0));
  return work;
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const TtmSpec& spec, Split split, const Sharing& sharing) {
  const Split own = sharing.ranks() == 1 ? Split::none : split;
  const TtmShape whole = shape_of(spec);
  const std::vector<Init> inits = ttm_inits(whole, shape.weight_std, spec.init, scope.path());
  const auto values = [cores = TtmScope(scope, own, sharing).cores(whole, inits)] {
    return values_of(cores);
  };
  return std::make_unique<TtmLinear>(scope, shape, whole, values, own, sharing);
}

TtmShape shape_of(const TtmSpec& spec) { return with_ranks(spec.in, spec.out, spec.ranks); }

std::vector<Init> ttm_inits(const TtmShape& shape, double weight_std, FactorInit kind,
                            const std::string& path) {
  return factor_inits({shape.in, shape.out, shape.ranks}, weight_std, kind, path);
}

TtmSpec exact_spec(const TtmShape& shape, TtmSpec like) {
  like.in = shape.in;
  like.out = shape.out;
  like.ranks.assign(shape.ranks.begin() + 1, shape.ranks.end() - 1);
  like.rank = 0;
  like.keep = 0;
  like.clip_ranks = false;
  return like;
}

TtmSpec transposed(const TtmSpec& spec) { return exact_spec(transposed(shape_of(spec)), spec); }

}  // namespace ty
