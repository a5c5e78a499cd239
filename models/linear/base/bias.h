// The bias of a linear layer of any kind.
#pragma once

#include "models/linear/base/linear.h"

namespace ty {

// "bias" [out] under `scope`, zero at the start; null if the layer has none.
const Parameter* declare_bias(const Scope& scope, const LinearShape& shape);
// The same of a layer of Split::in, added outside.
const Parameter* declare_bias_outside(const Scope& scope, const LinearShape& shape,
                                      const Sharing& sharing);
// The own part of it, for a layer of Split::out.
const Parameter* declare_bias_part(const Scope& scope, const LinearShape& shape,
                                   const Sharing& sharing);
// Undefined for a layer without one.
inline Tensor value_of(const Parameter* bias) { return bias != nullptr ? bias->value : Tensor(); }

}  // namespace ty
