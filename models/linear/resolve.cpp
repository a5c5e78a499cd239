// How the sizes that a rule leaves open are worked out for one map.
#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "models/linear/choose_shape.h"
#include "models/linear/spec.h"
#include "models/linear/ttm_shape.h"

namespace ty {

namespace {

// Weights that a share of the dense map's comes to.
std::int64_t budget_of(double keep, const LinearShape& shape) {
  return static_cast<std::int64_t>(
      std::llround(keep * static_cast<double>(shape.in) * static_cast<double>(shape.out)));
}

// Exactly one of the ways to say how large the factors are.
void check_one(const std::string& path, const std::vector<std::pair<const char*, bool>>& ways) {
  std::vector<const char*> all, stated;
  for (const auto& [name, is_stated] : ways) {
    all.push_back(name);
    if (is_stated) stated.push_back(name);
  }
  if (stated.size() == 1) return;
  throw ConfigError("linear: {}: want one of {}, got {}", path, fmt::join(all, ", "),
                    stated.empty() ? "none" : fmt::format("{}", fmt::join(stated, " and ")));
}

LinearSpec resolve(const DenseSpec& spec, const LinearShape&, const std::string&) { return spec; }

LinearSpec resolve(const SvdSpec& spec, const LinearShape& shape, const std::string& path) {
  check_one(path, {{"rank", spec.rank > 0}, {"keep", spec.keep > 0}});
  SvdSpec result = spec;
  const std::int64_t most = std::min(shape.in, shape.out);
  if (spec.rank == 0) {
    result.rank = budget_of(spec.keep, shape) / (shape.in + shape.out);
    if (result.rank == 0) {
      throw ConfigError(
          "linear: {} [{}, {}]: keep {} is less than rank 1 needs; want at least {:.4f}", path,
          shape.in, shape.out, spec.keep,
          static_cast<double>(shape.in + shape.out) / static_cast<double>(shape.in * shape.out));
    }
    result.rank = std::min(result.rank, most);
  }
  if (result.rank > most) {
    throw ConfigError("linear: {} [{}, {}]: svd rank {} is above the full rank; want 1 to {}", path,
                      shape.in, shape.out, result.rank, most);
  }
  result.keep = 0;
  return result;
}

LinearSpec resolve(const TtmSpec& spec, const LinearShape& shape, const std::string& path) {
  check_one(path,
            {{"rank", spec.rank > 0}, {"ranks", !spec.ranks.empty()}, {"keep", spec.keep > 0}});
  if (spec.in.empty() != spec.out.empty()) {
    throw ConfigError("linear: {}: ttm has modes {} alone; state in and out, or neither", path,
                      spec.in.empty() ? "out" : "in");
  }
  if (spec.in.empty() && !spec.ranks.empty()) {
    throw ConfigError("linear: {}: ttm ranks of each bond want modes in and out; or state rank",
                      path);
  }
  const int cores = static_cast<int>(spec.cores);
  TtmShape result;
  if (!spec.in.empty()) {
    result = spec.ranks.empty() ? with_rank(spec.in, spec.out, std::max<std::int64_t>(spec.rank, 1))
                                : with_ranks(spec.in, spec.out, spec.ranks);
    validate(result, shape.in, shape.out);
    if (spec.keep > 0) {
      result = with_rank(spec.in, spec.out, rank_for_budget(result, budget_of(spec.keep, shape)));
    }
  } else if (spec.rank > 0) {
    result = choose_shape(shape.in, shape.out, spec.rank, cores);
  } else {
    // Modes depend on the rank and the rank on the modes: the first rank that fits its own modes.
    result = choose_shape(shape.in, shape.out, 1, cores);
    for (int i = 0; i < 4; ++i) {
      const std::int64_t rank = rank_for_budget(result, budget_of(spec.keep, shape));
      const TtmShape again = choose_shape(shape.in, shape.out, rank, cores);
      result = with_rank(again.in, again.out, rank_for_budget(again, budget_of(spec.keep, shape)));
      if (again.ranks == result.ranks) break;
    }
  }
  if (spec.clip_ranks) result = clip_ranks(result);
  validate(result, shape.in, shape.out);
  TtmSpec exact = spec;
  exact.in = result.in;
  exact.out = result.out;
  exact.ranks.assign(result.ranks.begin() + 1, result.ranks.end() - 1);
  exact.rank = 0;
  exact.keep = 0;
  exact.clip_ranks = false;
  return exact;
}

}  // namespace

LinearSpec resolved(const LinearSpec& spec, const LinearShape& shape, const std::string& path) {
  try {
    return std::visit([&](const auto& each) { return resolve(each, shape, path); }, spec);
  } catch (const ConfigError& e) {
    if (std::string_view(e.what()).starts_with("linear: ")) throw;
    throw ConfigError("linear: {} [{}, {}]: {}", path, shape.in, shape.out, e.what());
  }
}

}  // namespace ty
