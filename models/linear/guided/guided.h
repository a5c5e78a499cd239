// The guided kind: any other kind's weight F, and beside it, for the first steps of a training run,
// a dense weight G that is trained along and fades out (self-guided training: Wei et al., arXiv
// 2406.16450):
//
//   y = a x G + (1 - a) x F + b      a = (1 + cos(pi step / steps)) / 2, and 0 from `steps` on
//
// G begins as F. While it carries the layer, F learns from gradients that a good layer meets, which
// plain factors do not have. Or one of them at a time is drawn (mixed-rank fine-tuning: Ren and
// Zhu, Findings of EMNLP 2022), G with chance a, for each step, layer and, where each is
// run twice, copy of an example:
//
//   y = x G + b  or  x F + b      a = 1 - step / steps
//
// Only training passes see G: what is evaluated, sampled and stored for
// use is F. A run that has done `steps` steps drops G (models/linear/guides.h); parameters of F
// keep their names, and so does b.
#pragma once

#include "models/linear/base/factors.h"

namespace ty {

enum class GuideMix : std::uint8_t { blend, draw };

struct GuidedSpec {
  static constexpr std::string_view kKind = "guided";
  static constexpr bool kHasShards = true;

  std::int64_t steps = 0;  // after which G has no part in the layer
  LinearSpec of = {};      // F
  GuideMix mix = GuideMix::blend;

  friend bool operator==(const GuidedSpec&, const GuidedSpec&) = default;
};

void fields(config::Fields& f, GuidedSpec& spec);
std::optional<SpecFault> fault_of(const GuidedSpec& spec);
GuidedSpec resolved(const GuidedSpec& spec, const LinearShape& shape);
std::string describe(const GuidedSpec& spec);
// Of F and G.
std::int64_t num_weights(const GuidedSpec& spec, const LinearShape& shape);
double forward_flops(const GuidedSpec& spec, const LinearShape& shape, std::int64_t tokens);
Execution execution_of(const GuidedSpec& spec, const LinearShape& shape, std::int64_t tokens);
// None: each of both weights is held as is best for it.
std::string obstacle_to(const GuidedSpec& spec, const LinearShape& shape, Split split, int ranks);
// Parameters of F, bias, and guide.weight [in, out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const GuidedSpec& spec, Split split, const Sharing& sharing);

// a, of either mix.
double guide_share(const GuidedSpec& spec, std::int64_t step);

}  // namespace ty
