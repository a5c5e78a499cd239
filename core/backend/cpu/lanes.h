// Runs of any float type, presented as floats: fp32 is used in place, bf16 and fp16 pass through a
// small buffer chunk by chunk, so that each kernel is written once.
#pragma once

#include <algorithm>
#include <array>
#include <tuple>
#include <type_traits>

#include "core/backend/cpu/spans.h"

namespace ty::cpu {

inline constexpr std::int64_t kLanes = 1024;

// Calls fn(y, x..., n) on floats with y[i] and x[i] of type T; y is written back. `steps` is 0 for
// an x that is one repeated element.
template <typename T, typename Fn, typename... X>
void with_floats(T* y, std::int64_t n, Fn&& fn, const X*... x) {
  if constexpr (std::is_same_v<T, float>) {
    fn(y, n, x...);
  } else {
    std::array<std::array<float, kLanes>, sizeof...(X) + 1> buffers;
    for (std::int64_t first = 0; first < n; first += kLanes) {
      const std::int64_t count = std::min(kLanes, n - first);
      std::size_t next = 1;
      const auto load = [&](const T* source) {
        float* buffer = buffers[next++].data();
        spans::to_float(buffer, source + first, count);
        return static_cast<const float*>(buffer);
      };
      // Braces fix the order of evaluation.
      std::array<const float*, sizeof...(X)> inputs{load(x)...};
      std::apply([&](auto... in) { fn(buffers[0].data(), count, in...); }, inputs);
      spans::from_float(y + first, buffers[0].data(), count);
    }
  }
}

// Calls fn(floats, first, count) over the chunks of a run that is only read.
template <typename T, typename Fn>
void each_as_floats(const T* x, std::int64_t n, Fn&& fn) {
  if constexpr (std::is_same_v<T, float>) {
    fn(x, std::int64_t{0}, n);
  } else {
    std::array<float, kLanes> buffer;
    for (std::int64_t first = 0; first < n; first += kLanes) {
      const std::int64_t count = std::min(kLanes, n - first);
      spans::to_float(buffer.data(), x + first, count);
      fn(static_cast<const float*>(buffer.data()), first, count);
    }
  }
}

}  // namespace ty::cpu
