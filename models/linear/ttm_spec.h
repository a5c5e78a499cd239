// A TTM map's shape and the spec that asks for exactly it.
#pragma once

#include "models/linear/spec.h"
#include "models/linear/ttm_shape.h"

namespace ty {

// The shape of a resolved spec.
TtmShape shape_of(const TtmSpec& spec);
// A resolved spec of that shape; all else is as in `like`.
TtmSpec exact_spec(const TtmShape& shape, TtmSpec like = {});

}  // namespace ty
