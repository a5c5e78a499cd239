// What kinds whose weight is a product of factors have in common: how their size is stated, and how
// the factors start.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/fields.h"
#include "models/linear/base/spec.h"

namespace ty {

// How factors start. normal: independent entries; orthogonal: the same distribution of the product,
// each factor but the last with orthonormal columns; spectral: what a dense weight's initial draw
// is cut to.
enum class FactorInit : std::uint8_t { normal, orthogonal, spectral };

// The keys `keep` (a share of the dense weights) and `init`.
void keep_field(config::Fields& f, double& keep);
void init_field(config::Fields& f, FactorInit& init);

// Sizes that a job file or config.json may state, well below what could overflow a product.
inline constexpr double kMostSize = 1 << 24;

// A way to say how large the factors are, as a job file would state it.
struct SizeKey {
  const char* key;
  bool is_stated;
  std::string value;
};
// What is wrong unless exactly one of them is stated, and `keep` is a share.
std::optional<SpecFault> fault_of_size(const std::vector<SizeKey>& keys, double keep);

// Of a kind whose factors have two sizes on each side: what is wrong unless both sides are stated
// with two each, or neither.
std::optional<SpecFault> fault_of_pairs(const std::vector<std::int64_t>& in,
                                        const std::vector<std::int64_t>& out);
// Throws ConfigError unless they multiply to the layer's sizes.
void check_pairs(std::string_view kind, const std::vector<std::int64_t>& in,
                 const std::vector<std::int64_t>& out, const LinearShape& shape);

// Of a kind that is made around another: what is wrong with that.
std::optional<SpecFault> fault_of_inner(const LinearSpec& of);

// Throws ConfigError unless a share of the dense weights has room for `least` of them, the fewest
// that `what`, the smallest form of the factors, can have.
void check_budget(double keep, const LinearShape& shape, std::int64_t least,
                  const std::string& what);

// "[16, 16, 4]"
std::string list_of(const std::vector<std::int64_t>& sizes);

// Operations (a multiply-add is two) where each token meets every weight once.
double flops_of_weights(std::int64_t weights, std::int64_t tokens);

}  // namespace ty
