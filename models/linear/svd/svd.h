// The svd kind: a weight W = A B with A [in, rank] and B [rank, out]; or, with an activation f, a
// layer f(x A) B of as many weights and as cheap, which no one matrix stands for (CoLA, Liu et al.,
// arXiv 2502.10940).
#pragma once

#include <optional>

#include "core/backend/options.h"
#include "models/linear/base/factors.h"

namespace ty {

struct SvdSpec {
  static constexpr std::string_view kKind = "svd";
  static constexpr bool kHasShards = true;

  std::int64_t rank = 0;  // 0: see keep
  double keep = 0;        // weights, as a share of the dense layer's
  FactorInit init = FactorInit::normal;
  std::optional<UnaryOp> activation = std::nullopt;  // f

  friend bool operator==(const SvdSpec&, const SvdSpec&) = default;
};

void fields(config::Fields& f, SvdSpec& spec);
std::optional<SpecFault> fault_of(const SvdSpec& spec);
SvdSpec resolved(const SvdSpec& spec, const LinearShape& shape);
std::string describe(const SvdSpec& spec);
std::int64_t num_weights(const SvdSpec& spec, const LinearShape& shape);
bool is_one_matrix(const SvdSpec& spec);
double forward_flops(const SvdSpec& spec, const LinearShape& shape, std::int64_t tokens);
std::string obstacle_to_rank_split(const SvdSpec& spec, int ranks);
std::string obstacle_to_hidden_split(const SvdSpec& spec);
std::string obstacle_to(const SvdSpec& spec, const LinearShape& shape, Split split, int ranks);
// The outer factor is whole on every rank, and r numbers per token cross them.
RankWork work_when_split(const SvdSpec& spec, const LinearShape& shape, Split split,
                         const Sharing& sharing);
// Parameters a [in, r], b [r, out] and bias [out]. With an activation its dense_weight() throws
// ConfigError.
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const SvdSpec& spec, Split split, const Sharing& sharing);

// How the factors start. `path` picks the random streams.
struct SvdInits {
  Init a, b;
};
SvdInits svd_inits(const LinearShape& shape, const SvdSpec& spec, const std::string& path);

}  // namespace ty
