// Element access of the reference loops.
#pragma once

#include "core/base/elements.h"

namespace ty::reference {

using elements::for_each;
using elements::load_any;
using elements::store_any;

// An element of any float type, converted to the accumulator type and back.
template <typename A, typename T>
A load(const T* p) {
  return static_cast<A>(*p);
}
template <typename T, typename A>
void store(T* p, A value) {
  *p = static_cast<T>(value);
}

}  // namespace ty::reference
