// The ttm kind: the weight is a tensor train matrix (Oseledets, SIAM J. Sci. Comput. 33(5), 2011;
// Novikov et al., arXiv 1509.06569). ttm_shape.h explains its sizes.
#pragma once

#include <vector>

#include "models/linear/base/factors.h"
#include "models/linear/ttm/ttm_shape.h"

namespace ty {

struct TtmSpec {
  static constexpr std::string_view kKind = "ttm";

  std::vector<std::int64_t> in = {}, out = {};  // modes, core by core; empty: chosen
  std::int64_t cores = 3;                       // at most so many, where modes are chosen
  std::int64_t rank = 0;                        // of every bond; 0: see ranks and keep
  std::vector<std::int64_t> ranks = {};         // of each inner bond
  double keep = 0;          // number of weights, as a fraction of the dense layer's; 0: see rank
  bool clip_ranks = false;  // to what the modes can use
  FactorInit init = FactorInit::normal;

  friend bool operator==(const TtmSpec&, const TtmSpec&) = default;
};

void fields(config::Fields& f, TtmSpec& spec);
std::optional<SpecFault> fault_of(const TtmSpec& spec);
TtmSpec resolved(const TtmSpec& spec, const LinearShape& shape);
std::string describe(const TtmSpec& spec);
std::int64_t num_weights(const TtmSpec& spec, const LinearShape& shape);
// For the plan that would run.
double forward_flops(const TtmSpec& spec, const LinearShape& shape, std::int64_t tokens);
Execution execution_of(const TtmSpec& spec, const LinearShape& shape, std::int64_t tokens);
// Ranks divide the first mode of the side that lies inside, a contiguous part of its features; so
// it must be a multiple of their number and that side without padding.
std::string obstacle_to(const TtmSpec& spec, const LinearShape& shape, Split split, int ranks);
// For the plans that would run.
double pass_seconds(const TtmSpec& spec, const LinearShape& shape, std::int64_t tokens);
// Ranks divide the first core and have all others.
RankWork work_when_split(const TtmSpec& spec, const LinearShape& shape, Split split,
                         const Sharing& sharing);
// Parameters core1, core2, .. [R_{k-1}, I_k, J_k, R_k] and bias [out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const TtmSpec& spec, Split split, const Sharing& sharing);

// The tensor train shape of a resolved spec.
TtmShape shape_of(const TtmSpec& spec);
// Initial values of the cores such that the entries of W have standard deviation `weight_std`.
std::vector<Init> ttm_inits(const TtmShape& shape, double weight_std, FactorInit kind,
                            const std::string& path);
// A resolved spec of that shape, otherwise equal to `like`.
TtmSpec exact_spec(const TtmShape& shape, TtmSpec like = {});
// The resolved spec of W^T.
TtmSpec transposed(const TtmSpec& spec);

}  // namespace ty
