#include "models/linear/base/bias.h"

namespace ty {

const Parameter* declare_bias(const Scope& scope, const LinearShape& shape) {
  if (!shape.bias) return nullptr;
  return &scope.parameter("bias", {shape.out}, Init::constant(0.0));
}

const Parameter* declare_bias_outside(const Scope& scope, const LinearShape& shape,
                                      const Sharing& sharing) {
  if (!shape.bias) return nullptr;
  return &declare_along_columns(scope, "bias", {shape.out}, 0, Init::constant(0.0), sharing);
}

const Parameter* declare_bias_part(const Scope& scope, const LinearShape& shape,
                                   const Sharing& sharing) {
  if (!shape.bias) return nullptr;
  return &scope.parameter("bias", {own_count(shape.out, sharing)}, Init::constant(0.0),
                          placed_part(0, shape.out, sharing));
}

}  // namespace ty
