#include "core/base/exact_sum.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace ty {

namespace {

constexpr double kBase = 4294967296.0;   // 2^32
constexpr int kMantissa = 53;            // bits of a double
constexpr int kSmallest = -1074;         // the exponent of the smallest double
constexpr int kTermsPerCarry = 1 << 20;  // each adds less than 2^32 to a digit

}  // namespace

void ExactSum::add(double term) {
  if (term == 0.0) return;
  if (!(term > 0.0 && std::isfinite(term))) {
    digits_[kDigits] += 1.0;
    return;
  }
  int exponent = 0;
  const double fraction = std::frexp(term, &exponent);
  // term = mantissa 2^(place + kSmallest)
  auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, kMantissa));
  int place = exponent - kMantissa - kSmallest;
  if (place < 0) {  // a subnormal number, whose last bits are zero
    mantissa >>= -place;
    place = 0;
  }
  const auto digit = static_cast<std::size_t>(place / kBits);
  const int shift = place % kBits;
  const std::uint64_t low = (mantissa & 0xffffffffu) << shift;
  const std::uint64_t high = (mantissa >> kBits << shift) + (low >> kBits);
  digits_[digit] += static_cast<double>(low & 0xffffffffu);
  digits_[digit + 1] += static_cast<double>(high & 0xffffffffu);
  digits_[digit + 2] += static_cast<double>(high >> kBits);
  if (++since_carry_ == kTermsPerCarry) carry();
}

void ExactSum::carry() {
  since_carry_ = 0;
  for (std::size_t i = 0; i + 1 < kDigits; ++i) {
    const double over = std::floor(digits_[i] / kBase);
    digits_[i] -= over * kBase;
    digits_[i + 1] += over;
  }
}

std::span<double> ExactSum::digits() {
  carry();
  return digits_;
}

double ExactSum::value() {
  carry();
  if (digits_[kDigits] > 0) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;  // from the largest digit down: what is lost lies below its last bit
  for (int i = kDigits - 1; i >= 0; --i) {
    sum += std::ldexp(digits_[static_cast<std::size_t>(i)], i * kBits + kSmallest);
  }
  return sum;
}

}  // namespace ty
