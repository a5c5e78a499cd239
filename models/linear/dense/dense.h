// The dense kind: a weight [in, out] of its own.
#pragma once

#include "models/linear/base/spec.h"

namespace ty {

struct DenseSpec {
  static constexpr std::string_view kKind = "dense";
  static constexpr bool kHasShards = true;

  friend bool operator==(const DenseSpec&, const DenseSpec&) = default;
};

void fields(config::Fields& f, DenseSpec& spec);
std::optional<SpecFault> fault_of(const DenseSpec& spec);
DenseSpec resolved(const DenseSpec& spec, const LinearShape& shape);
std::string describe(const DenseSpec& spec);
std::int64_t num_weights(const DenseSpec& spec, const LinearShape& shape);
double forward_flops(const DenseSpec& spec, const LinearShape& shape, std::int64_t tokens);
std::string obstacle_to(const DenseSpec& spec, const LinearShape& shape, Split split, int ranks);
// Parameters weight [in, out] and bias [out].
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const DenseSpec& spec, Split split, const Sharing& sharing);

}  // namespace ty
