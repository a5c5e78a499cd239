// The scaled kind: any other kind's weight V, whose inputs are multiplied by a number each first:
//
//   y = (x . s) V + b      s [in], one at the start
//
// So factors may be chosen for inputs that count unequally: V = diag(1/s) W is cut where errors of
// its rows count alike (scaled_fwttm, models/compress/fwttm.h).
#pragma once

#include "models/linear/base/factors.h"

namespace ty {

struct ScaledSpec {
  static constexpr std::string_view kKind = "scaled";

  LinearSpec of = {};  // V

  friend bool operator==(const ScaledSpec&, const ScaledSpec&) = default;
};

void fields(config::Fields& f, ScaledSpec& spec);
std::optional<SpecFault> fault_of(const ScaledSpec& spec);
ScaledSpec resolved(const ScaledSpec& spec, const LinearShape& shape);
std::string describe(const ScaledSpec& spec);
// Of V and s.
std::int64_t num_weights(const ScaledSpec& spec, const LinearShape& shape);
bool is_one_matrix(const ScaledSpec& spec);
double forward_flops(const ScaledSpec& spec, const LinearShape& shape, std::int64_t tokens);
Execution execution_of(const ScaledSpec& spec, const LinearShape& shape, std::int64_t tokens);
// None: V is held as is best for it.
std::string obstacle_to(const ScaledSpec& spec, const LinearShape& shape, Split split, int ranks);
// Parameters of V, and scale [in], of which a rank of Split::in has its part.
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const ScaledSpec& spec, Split split, const Sharing& sharing);

}  // namespace ty
