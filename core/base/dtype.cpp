#include "core/base/dtype.h"

#include "core/base/error.h"

namespace ty {

f16::f16(float x) {
  std::uint32_t u = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = (u >> 16) & 0x8000u;
  u &= 0x7fffffffu;
  if (u >= 0x7f800000u) {  // infinity or NaN
    bits = static_cast<std::uint16_t>(sign | 0x7c00u | (u > 0x7f800000u ? 0x200u : 0u));
  } else if (u >= 0x477ff000u) {  // rounds to infinity
    bits = static_cast<std::uint16_t>(sign | 0x7c00u);
  } else if (u < 0x38800000u) {  // subnormal half: let the float adder do the rounding
    const float magic = 0.5f;    // 2^-1: its ulp is 2^-24, the spacing of half's subnormals
    const float rounded = std::bit_cast<float>(u) + magic;
    bits = static_cast<std::uint16_t>(
        sign | (std::bit_cast<std::uint32_t>(rounded) - std::bit_cast<std::uint32_t>(magic)));
  } else {
    u += 0xc8000fffu + ((u >> 13) & 1u);  // rebias the exponent by -112 and round to even
    bits = static_cast<std::uint16_t>(sign | (u >> 13));
  }
}

f16::operator float() const {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fu;
  const std::uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::bf16:
    case DType::f16:
      return 2;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f64:
    case DType::i64:
      return 8;
  }
  return 0;
}

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "fp32";
    case DType::bf16:
      return "bf16";
    case DType::f16:
      return "fp16";
    case DType::f64:
      return "fp64";
    case DType::i32:
      return "int32";
    case DType::i64:
      return "int64";
  }
  return "?";
}

DType accumulator_of(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

bool is_floating(DType dtype) { return dtype != DType::i32 && dtype != DType::i64; }

void throw_not_floating(DType dtype, const char* what) {
  throw ShapeError("{}: wants fp32, bf16, fp16 or fp64, got {}", what, name_of(dtype));
}

}  // namespace ty
