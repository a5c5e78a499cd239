// The bottleneck kind: any other kind's layer, which is frozen, and behind it a narrow one of two
// matrices with a function between them (Houlsby et al., arXiv 1902.00751):
//
//   h = x W + b      y = h + f(h D + d) U + u      D [out, width], U [width, out] zero at the start
//
// It is not linear: no matrix stands for both, so it cannot be added into W. Parameters of W keep
// their names, so a model with adapters reads a directory without them.
#pragma once

#include "core/backend/options.h"
#include "models/linear/base/factors.h"

namespace ty {

// What a job file says of an adapter.
struct BottleneckOptions {
  std::int64_t width = 64;
  UnaryOp activation = UnaryOp::gelu_erf;  // f

  friend bool operator==(const BottleneckOptions&, const BottleneckOptions&) = default;
};
void fields(config::Fields& f, BottleneckOptions& options);

struct BottleneckSpec {
  static constexpr std::string_view kKind = "bottleneck";

  BottleneckOptions options = {};
  LinearSpec of = {};  // W

  friend bool operator==(const BottleneckSpec&, const BottleneckSpec&) = default;
};

void fields(config::Fields& f, BottleneckSpec& spec);
std::optional<SpecFault> fault_of(const BottleneckSpec& spec);
BottleneckSpec resolved(const BottleneckSpec& spec, const LinearShape& shape);
std::string describe(const BottleneckSpec& spec);
// Of W, and D, d, U and u.
std::int64_t num_weights(const BottleneckSpec& spec, const LinearShape& shape);
bool is_one_matrix(const BottleneckSpec& spec);  // not
double forward_flops(const BottleneckSpec& spec, const LinearShape& shape, std::int64_t tokens);
Execution execution_of(const BottleneckSpec& spec, const LinearShape& shape, std::int64_t tokens);
// D reads whole rows of h: a layer of Split::out has them on no rank. Behind one of Split::in every
// rank holds the adapter.
std::string obstacle_to(const BottleneckSpec& spec, const LinearShape& shape, Split split,
                        int ranks);
// Parameters of W, and bottleneck.down.weight [out, width], bottleneck.down.bias [width],
// bottleneck.up.weight [width, out] and bottleneck.up.bias [out]. Its dense_weight() throws
// ConfigError.
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const BottleneckSpec& spec, Split split,
                                    const Sharing& sharing);

}  // namespace ty
