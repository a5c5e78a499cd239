#include "models/linear/ttm/ttm_shape.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

using Sizes = std::vector<std::int64_t>;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// Stops at the largest integer: a product that large exceeds every limit it is compared with.
std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kMost : product;
}

std::int64_t product(std::span<const std::int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, saturating_multiply);
}

std::span<const std::int64_t> inner(const Sizes& ranks) {
  return std::span(ranks).subspan(1, ranks.size() < 2 ? 0 : ranks.size() - 2);
}

std::string list(std::span<const std::int64_t> sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

void check_modes(const char* side, const Sizes& modes, std::int64_t features) {
  for (std::size_t k = 0; k < modes.size(); ++k) {
    if (modes[k] < 1) {
      throw ConfigError("ttm: mode {} of {} {} is {}; give 1 or more", k + 1, side, list(modes),
                        modes[k]);
    }
  }
  if (product(modes) < features) {
    throw ConfigError(
        "ttm: {} modes {} multiply to {}, but the layer has {} {} features; the "
        "product must be {} or more",
        side, list(modes), product(modes), features, side, features);
  }
}

void check_ranks(const TtmShape& shape) {
  const Sizes& ranks = shape.ranks;
  if (ranks.size() != shape.in.size() + 1) {
    throw ConfigError("ttm: {} cores have {} inner ranks, but {} are given: {}", shape.in.size(),
                      shape.in.size() - 1, inner(ranks).size(), list(inner(ranks)));
  }
  if (ranks.front() != 1 || ranks.back() != 1) {
    throw ConfigError("ttm: the outer ranks are {} and {}; both must be 1", ranks.front(),
                      ranks.back());
  }
  for (std::size_t k = 1; k + 1 < ranks.size(); ++k) {
    if (ranks[k] < 1) {
      throw ConfigError("ttm: rank R_{} of {} is {}; give 1 or more", k, list(inner(ranks)),
                        ranks[k]);
    }
  }
}

void check_caps(const TtmShape& shape) {
  const Sizes caps = rank_caps(shape);
  for (std::size_t k = 1; k + 1 < caps.size(); ++k) {
    if (shape.ranks[k] > caps[k]) {
      throw ConfigError(
          "ttm: rank R_{} = {} exceeds {}, the most that in {} out {} can use; lower "
          "it or clip ranks",
          k, shape.ranks[k], caps[k], list(shape.in), list(shape.out));
    }
  }
}

}  // namespace

std::int64_t TtmShape::mode(int k) const {
  const auto i = static_cast<std::size_t>(k);
  return saturating_multiply(in[i], out[i]);
}

std::array<std::int64_t, 4> TtmShape::core_shape(int k) const {
  const auto i = static_cast<std::size_t>(k);
  return {ranks[i], in[i], out[i], ranks[i + 1]};
}

std::int64_t TtmShape::core_size(int k) const { return product(core_shape(k)); }

std::int64_t TtmShape::num_parameters() const {
  std::int64_t sum = 0;
  for (int k = 0; k < num_cores(); ++k) {
    if (__builtin_add_overflow(sum, core_size(k), &sum)) return kMost;
  }
  return sum;
}

std::int64_t TtmShape::padded_in() const { return product(in); }
std::int64_t TtmShape::padded_out() const { return product(out); }

TtmShape transposed(const TtmShape& shape) {
  return {.in = shape.out, .out = shape.in, .ranks = shape.ranks};
}

void validate(const TtmShape& shape, std::int64_t in_features, std::int64_t out_features,
              RankCap cap) {
  if (shape.in.empty() || shape.in.size() != shape.out.size()) {
    throw ConfigError("ttm: in {} has {} modes and out {} has {}; give one of each per core",
                      list(shape.in), shape.in.size(), list(shape.out), shape.out.size());
  }
  if (shape.num_cores() > kMostCores) {
    throw ConfigError("ttm: {} modes a side; at most {} cores can be computed", shape.in.size(),
                      kMostCores);
  }
  check_modes("in", shape.in, in_features);
  check_modes("out", shape.out, out_features);
  check_ranks(shape);
  if (cap == RankCap::require) check_caps(shape);
}

TtmShape with_ranks(Sizes in, Sizes out, std::span<const std::int64_t> inner_ranks) {
  Sizes ranks = {1};
  ranks.insert(ranks.end(), inner_ranks.begin(), inner_ranks.end());
  ranks.push_back(1);
  return {std::move(in), std::move(out), std::move(ranks)};
}

TtmShape with_rank(Sizes in, Sizes out, std::int64_t rank) {
  const Sizes inner_ranks(in.empty() ? 0 : in.size() - 1, rank);
  return with_ranks(std::move(in), std::move(out), inner_ranks);
}

Sizes rank_caps(const TtmShape& shape) {
  const int n = shape.num_cores();
  Sizes caps(static_cast<std::size_t>(n) + 1, 1);
  std::int64_t left = 1, right = 1;
  for (int k = 0; k < n; ++k) {
    caps[static_cast<std::size_t>(k)] = left;
    left = saturating_multiply(left, shape.mode(k));
  }
  for (int k = n; k >= 0; --k) {
    auto& cap = caps[static_cast<std::size_t>(k)];
    cap = k == n ? 1 : std::min(cap, right);
    if (k > 0) right = saturating_multiply(right, shape.mode(k - 1));
  }
  return caps;
}

TtmShape clip_ranks(TtmShape shape) {
  const Sizes caps = rank_caps(shape);
  for (int k = 1; k < shape.num_cores(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    const std::int64_t fed = saturating_multiply(shape.ranks[i - 1], shape.mode(k - 1));
    shape.ranks[i] = std::min({shape.ranks[i], caps[i], fed});
  }
  return shape;
}

std::int64_t rank_for_budget(const TtmShape& modes, std::int64_t budget) {
  const int n = modes.num_cores();
  std::int64_t middle = 0;
  for (int k = 1; k + 1 < n; ++k) middle += modes.mode(k);
  const std::int64_t ends = n == 1 ? 0 : modes.mode(0) + modes.mode(n - 1);
  const auto needed = [&](std::int64_t rank) {
    if (n == 1) return modes.mode(0);
    return with_rank(modes.in, modes.out, rank).num_parameters();
  };
  if (needed(1) > budget) {
    throw ConfigError("ttm: in {} out {} needs {} parameters at rank 1, more than the budget of {}",
                      list(modes.in), list(modes.out), needed(1), budget);
  }
  if (n == 1) return 1;
  // The positive root of middle R^2 + ends R = budget, in the form that does not cancel.
  const double b = static_cast<double>(ends), p = static_cast<double>(budget);
  const double root = 2.0 * p / (b + std::sqrt(b * b + 4.0 * static_cast<double>(middle) * p));
  auto rank = std::max<std::int64_t>(1, static_cast<std::int64_t>(root));
  while (needed(rank) > budget) --rank;  // rounding of the root, at most a step
  while (needed(rank + 1) <= budget) ++rank;
  return rank;
}

std::string to_string(const TtmShape& shape) {
  return fmt::format("in {} out {} ranks {}", list(shape.in), list(shape.out),
                     list(inner(shape.ranks)));
}

}  // namespace ty
