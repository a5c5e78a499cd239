#include "core/base/host_copy.h"

#include <cstring>

#include "core/base/elements.h"
#include "core/base/error.h"

namespace ty {

double elements::load_any(const View& view, std::int64_t offset) {
  return dispatch_dtype(
      view.dtype, [&](auto t) { return static_cast<double>(view.as<decltype(t)>()[offset]); });
}

void elements::store_any(const View& view, std::int64_t offset, double value) {
  dispatch_dtype(view.dtype, [&](auto t) {
    using T = decltype(t);
    if constexpr (sizeof(T) == 2) {
      view.as<T>()[offset] = T(static_cast<float>(value));
    } else {
      view.as<T>()[offset] = static_cast<T>(value);
    }
  });
}

void host_copy(const View& from, const View& to) {
  TY_CHECK(from.shape == to.shape, "copy of {} to {}", from.shape.str(), to.shape.str());
  if (from.dtype != to.dtype) {
    return elements::for_each<2>(to.shape, {&to, &from}, [&](auto, auto& at) {
      elements::store_any(to, at[0], elements::load_any(from, at[1]));
    });
  }
  if (from.is_contiguous() && to.is_contiguous()) {
    if (from.numel() > 0) std::memcpy(to.data, from.data, from.bytes());
    return;
  }
  dispatch_dtype(to.dtype, [&](auto t) {
    using T = decltype(t);
    elements::for_each<2>(to.shape, {&to, &from},
                          [&](auto, auto& at) { to.as<T>()[at[0]] = from.as<T>()[at[1]]; });
  });
}

}  // namespace ty
