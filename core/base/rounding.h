// Integer division that rounds up. All arguments are at least 0, divisors at least 1.
#pragma once

#include <cstdint>

namespace ty {

inline std::int64_t divided_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
// The smallest multiple of `grain` that is at least x.
inline std::int64_t round_up(std::int64_t x, std::int64_t grain) {
  return divided_up(x, grain) * grain;
}

}  // namespace ty
