// Copies between views of host memory, for work that needs no backend.
#pragma once

#include "core/base/view.h"

namespace ty {

// to = from, element by element: any strides, any two dtypes (floats to floats, integers to
// integers; through double where they differ). The two views must not overlap. Throws InternalError
// unless the shapes are the same.
void host_copy(const View& from, const View& to);

}  // namespace ty
