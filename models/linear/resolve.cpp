// How the sizes that a rule leaves open are worked out for one map.
#include <algorithm>
#include <cmath>
#include <span>

#include "core/base/error.h"
#include "models/linear/choose_shape.h"
#include "models/linear/spec.h"
#include "models/linear/ttm_spec.h"

namespace ty {

namespace {

constexpr std::int64_t kMostWeights = std::int64_t{1} << 40;  // of one map

// `what` is the smallest form that the factors can take.
void check_budget(double keep, const LinearShape& shape, std::int64_t least,
                  const std::string& what) {
  if (weights_in_share(keep, shape) >= least) return;
  constexpr double kDigits = 1e4;
  const double share = static_cast<double>(least) / static_cast<double>(shape.in * shape.out);
  throw ConfigError("keep = {} allows {} weights, but {} has {}; want {:.4g} or more", keep,
                    weights_in_share(keep, shape), what, least,
                    std::ceil(share * kDigits) / kDigits);
}

using Fault = std::optional<SpecFault>;

std::string list(const std::vector<std::int64_t>& sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

// A way to say how large the factors are, as a job file would state it.
struct Way {
  const char* key;
  bool is_stated;
  std::string value;
};

Fault fault_of_size(const std::vector<Way>& ways, double keep) {
  std::vector<const Way*> stated;
  for (const Way& way : ways) {
    if (way.is_stated) stated.push_back(&way);
  }
  if (stated.empty()) {
    std::vector<const char*> others;
    for (const Way& way : std::span(ways).subspan(1)) others.push_back(way.key);
    return SpecFault{ways[0].key, fmt::format("missing or 0; state {} >= 1, or {}", ways[0].key,
                                              fmt::join(others, ", or "))};
  }
  if (stated.size() > 1) {
    return SpecFault{stated[1]->key,
                     fmt::format("{} beside {} = {}; state one of them", stated[1]->value,
                                 stated[0]->key, stated[0]->value)};
  }
  if (!(keep >= 0 && keep <= 1)) {
    return SpecFault{"keep", fmt::format("{} is no share of the dense weights; want above 0 and at "
                                         "most 1",
                                         keep)};
  }
  return std::nullopt;
}

Fault fault_of(const DenseSpec&) { return std::nullopt; }

Fault fault_of(const SvdSpec& spec) {
  return fault_of_size({{"rank", spec.rank != 0, fmt::format("{}", spec.rank)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

Fault fault_of(const TtmSpec& spec) {
  const std::size_t cores = spec.in.size();
  if (cores != spec.out.size()) {
    return SpecFault{"out", fmt::format("{} has {} mode{}, but in = {} has {}; state one of each "
                                        "per core, or neither",
                                        list(spec.out), spec.out.size(),
                                        spec.out.size() == 1 ? "" : "s", list(spec.in), cores)};
  }
  if (cores == 0 && !spec.ranks.empty()) {
    return SpecFault{"ranks", fmt::format("{} for each bond want modes in and out; state them, or "
                                          "rank instead",
                                          list(spec.ranks))};
  }
  if (!spec.ranks.empty() && spec.ranks.size() + 1 != cores) {
    return SpecFault{"ranks",
                     fmt::format("{} has {}, but {} cores have {} inner bond{}", list(spec.ranks),
                                 spec.ranks.size(), cores, cores - 1, cores == 2 ? "" : "s")};
  }
  if (cores == 1) return std::nullopt;  // no bond
  return fault_of_size({{"rank", spec.rank != 0, fmt::format("{}", spec.rank)},
                        {"ranks", !spec.ranks.empty(), list(spec.ranks)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

LinearSpec resolve(const DenseSpec& spec, const LinearShape&) { return spec; }

LinearSpec resolve(const SvdSpec& spec, const LinearShape& shape) {
  SvdSpec result = spec;
  const std::int64_t most = std::min(shape.in, shape.out);
  if (spec.keep > 0) {
    check_budget(spec.keep, shape, shape.in + shape.out, "svd rank 1");
    result.rank = std::min(weights_in_share(spec.keep, shape) / (shape.in + shape.out), most);
  }
  if (result.rank < 1 || result.rank > most) {
    throw ConfigError("svd: rank {} of a [{}, {}] matrix; want 1 to {}", result.rank, shape.in,
                      shape.out, most);
  }
  result.keep = 0;
  return result;
}

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

TtmShape ttm_shape_of(const TtmSpec& spec, const LinearShape& shape) {
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
      side, list(modes), product, features, side, features, 2 * features - 1);
}

LinearSpec resolve(const TtmSpec& spec, const LinearShape& shape) {
  TtmShape result = ttm_shape_of(spec, shape);
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

}  // namespace

std::optional<SpecFault> fault_of(const LinearSpec& spec) {
  return std::visit([](const auto& each) { return fault_of(each); }, spec);
}

LinearSpec resolved(const LinearSpec& spec, const LinearShape& shape) {
  if (const auto fault = fault_of(spec)) {
    throw ConfigError("{}: {}: {}", kind_name(spec), fault->key, fault->message);
  }
  return std::visit([&](const auto& each) { return resolve(each, shape); }, spec);
}

}  // namespace ty
