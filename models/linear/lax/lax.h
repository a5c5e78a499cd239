// The lax kind: an svd layer whose latent also comes from the block before (latent crossing, Zhang
// et al., arXiv 2505.21732). With f the identity or what `activation` says,
//
//   h_i = x_i A_i          y_i = f(h_i + g_i * h_{i-1}) B_i
//
//   block i-1   x --- A ---> h ----------(+)--- f --- B ---> y
//                            |            ^
//                            v            from block i-2
//   block i     x --- A ---> h --- * g --(+)--- f --- B ---> y
//
// h_{i-1} is that of the layer with the same name in the block before, and missing where that is no
// lax layer of this rank, as in the first block. So more than r numbers reach a layer's result,
// at the cost of one gate g [r], which starts at 1.
#pragma once

#include "models/linear/svd/svd.h"

namespace ty {

struct LaxSpec {
  static constexpr std::string_view kKind = "lax";

  SvdSpec svd = {};

  friend bool operator==(const LaxSpec&, const LaxSpec&) = default;
};

void fields(config::Fields& f, LaxSpec& spec);
std::optional<SpecFault> fault_of(const LaxSpec& spec);
LaxSpec resolved(const LaxSpec& spec, const LinearShape& shape);
// "lax rank 64"
std::string describe(const LaxSpec& spec);
std::int64_t num_weights(const LaxSpec& spec, const LinearShape& shape);
double forward_flops(const LaxSpec& spec, const LinearShape& shape, std::int64_t tokens);
bool is_one_matrix(const LaxSpec& spec);  // not
std::int64_t latent_width(const LaxSpec& spec);
// Parameters a [in, r], b [r, out], gate [r] and bias [out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LaxSpec& spec, Split split, const Sharing& sharing);

}  // namespace ty
