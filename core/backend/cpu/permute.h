// Copies between any two orders of axes.
#pragma once

#include "core/base/view.h"

namespace ty::cpu {

// y = x for views of one shape and dtype, whatever the strides: runs that are contiguous on
// both sides are moved whole, axes that change places go through small square tiles.
void permuting_copy(const View& y, const View& x);

}  // namespace ty::cpu
