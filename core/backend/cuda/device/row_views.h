// Matrices as kernels that work row by row take them.
#pragma once

#include <initializer_list>

#include "core/backend/cuda/kernel/rows.h"
#include "core/base/view.h"

namespace ty::cuda {

// Throws InternalError unless the columns of x [N, C] are adjacent.
void check_rows(const View& x);

template <typename T>
kernel::Rows<T> rows_of(const View& x) {
  check_rows(x);
  return {x.as<T>(), x.strides[0]};
}

// Whether all rows of these matrices (or vectors) can be read in packs of so many elements.
inline bool in_packs(int pack, std::initializer_list<const View*> operands) {
  for (const View* x : operands) {
    const auto bytes = static_cast<std::uintptr_t>(pack) * size_of(x->dtype);
    const bool fits = x->shape[-1] % pack == 0 && x->strides[-1] == 1 &&
                      reinterpret_cast<std::uintptr_t>(x->data) % bytes == 0 &&
                      (x->rank() == 1 || x->shape[0] == 1 || x->strides[0] % pack == 0);
    if (!fits) return false;
  }
  return true;
}

}  // namespace ty::cuda
