// The order of numbers as that of unsigned words, in which what is the largest can be found bit by
// bit:
//
//   -2      -1      0, -0   1       2
//   3fff..  407f..  8000..  bf80..  c000..
#pragma once

#include <bit>
#include <cstdint>

#include "core/base/host_device.h"

namespace ty {

TY_HOST_DEVICE inline std::uint32_t order_of(float x) {
  constexpr std::uint32_t kSign = 0x80000000u;
#ifdef __CUDA_ARCH__
  const std::uint32_t bits = __float_as_uint(x == 0.0F ? 0.0F : x);
#else
  const auto bits = std::bit_cast<std::uint32_t>(x == 0.0F ? 0.0F : x);
#endif
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

TY_HOST_DEVICE inline std::uint64_t order_of(double x) {
  constexpr std::uint64_t kSign = 0x8000000000000000u;
#ifdef __CUDA_ARCH__
  const auto bits = static_cast<std::uint64_t>(__double_as_longlong(x == 0.0 ? 0.0 : x));
#else
  const auto bits = std::bit_cast<std::uint64_t>(x == 0.0 ? 0.0 : x);
#endif
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

// What lies at or above the bound is kept: an element by its order, and of equals by its index.
struct KeptFrom {
  std::uint64_t order = 0;
  std::int64_t last = 0;  // index of the last one of this order
  TY_HOST_DEVICE bool keeps(std::uint64_t other, std::int64_t index) const {
    return other > order || (other == order && index <= last);
  }
};

}  // namespace ty
