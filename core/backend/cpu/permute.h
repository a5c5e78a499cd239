// Copies between any two orders of axes.
#pragma once

#include "core/base/view.h"

namespace ty::cpu {

// y = x for views of the same shape and dtype, with any strides: runs that are contiguous on both
// sides are moved whole; transposed axes go through small square tiles.
void permuting_copy(const View& y, const View& x);

}  // namespace ty::cpu
