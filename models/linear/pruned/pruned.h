// The pruned kind: a dense weight W, of which the entries with the highest scores S count and the
// others are 0:
//
//   y = x (W masked) + b      the v(step) in out entries with the highest S are kept
//
// First-order pruning (LPAF: Ren and Zhu, Findings of EMNLP 2022; as movement pruning: Sanh et al.,
// arXiv 2005.07683): S adds up -g w of every step, with g the gradient of the masked weight. An
// entry whose steps lead away from 0 gains, one that is on its way there loses. W gets g whole, so
// what is masked goes on learning and may come back. The share falls along a cube:
//
//   v |----.                     v(step) = keep + (1 - keep) ((end - step) / (end - begin))^3
//   1 |     \.
//     |       ` .
//  keep|            ` - .______
//     +----+------------+-----  step
//        begin         end
//
// Training passes see v(step); all others see what is to remain, keep. Scores begin as 1e-12 |w|:
// as long as data says nothing, the largest weights are kept.
#pragma once

#include "models/linear/base/factors.h"

namespace ty {

struct PrunedSpec {
  static constexpr std::string_view kKind = "pruned";

  double keep = 0;                  // share of the entries
  std::int64_t begin = 0, end = 0;  // steps of training between which the share falls

  friend bool operator==(const PrunedSpec&, const PrunedSpec&) = default;
};

void fields(config::Fields& f, PrunedSpec& spec);
std::optional<SpecFault> fault_of(const PrunedSpec& spec);
PrunedSpec resolved(const PrunedSpec& spec, const LinearShape& shape);
// "pruned to 25 %"
std::string describe(const PrunedSpec& spec);
// Of W and S.
std::int64_t num_weights(const PrunedSpec& spec, const LinearShape& shape);
double forward_flops(const PrunedSpec& spec, const LinearShape& shape, std::int64_t tokens);
// Parameters weight and scores [in, out], and bias.
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const PrunedSpec& spec, Split split, const Sharing& sharing);

// round(share in out).
std::int64_t kept_entries(double share, const LinearShape& shape);
// v.
double kept_share(const PrunedSpec& spec, std::int64_t step);
// The scores of a weight that no data has been seen for.
std::vector<double> first_scores(const std::vector<double>& weight);

}  // namespace ty
