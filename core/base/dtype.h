// Element types. bf16 and fp16 are storage types: arithmetic on them is done in float.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ty {

enum class DType : std::uint8_t { f32, bf16, f16, f64, i32, i64 };

// 16-bit brain float: the upper half of a float, rounded to nearest even.
struct bf16 {
  std::uint16_t bits = 0;
  bf16() = default;
  explicit bf16(float x) {
    std::uint32_t u = std::bit_cast<std::uint32_t>(x);
    if ((u & 0x7fffffffu) > 0x7f800000u) {
      bits = static_cast<std::uint16_t>((u >> 16) | 0x40u);  // keep NaN a NaN
    } else {
      bits = static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
    }
  }
  explicit operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
  explicit operator double() const { return static_cast<float>(*this); }
};

// IEEE 754 half precision, rounded to nearest even, subnormals kept.
struct f16 {
  std::uint16_t bits = 0;
  f16() = default;
  explicit f16(float x);
  explicit operator float() const;
  explicit operator double() const { return static_cast<float>(*this); }
};

// Bytes of one element.
std::size_t size_of(DType dtype);
// The contract's spelling: fp32, bf16, fp16, fp64, int32, int64.
std::string_view name_of(DType dtype);
bool is_floating(DType dtype);
// The type in which values are accumulated: fp64 for fp64, fp32 for everything smaller.
DType accumulator_of(DType dtype);

template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<bf16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct DTypeOf<f16> {
  static constexpr DType value = DType::f16;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::i64;
};

// The type in which values of T are accumulated: double for double, float for everything smaller.
template <typename T>
struct AccumulatorOf {
  using type = float;
};
template <>
struct AccumulatorOf<double> {
  using type = double;
};
template <typename T>
using accumulator_t = typename AccumulatorOf<T>::type;

// Calls fn with a value-initialised element of the type that dtype names. dispatch_float refuses
// integer types with a message that names the caller (`what`).
[[noreturn]] void throw_not_floating(DType dtype, const char* what);

template <typename Fn>
decltype(auto) dispatch_float(DType dtype, const char* what, Fn&& fn) {
  switch (dtype) {
    case DType::f32:
      return fn(float{});
    case DType::bf16:
      return fn(bf16{});
    case DType::f16:
      return fn(f16{});
    case DType::f64:
      return fn(double{});
    default:
      throw_not_floating(dtype, what);
  }
}

template <typename Fn>
decltype(auto) dispatch_dtype(DType dtype, Fn&& fn) {
  switch (dtype) {
    case DType::f32:
      return fn(float{});
    case DType::bf16:
      return fn(bf16{});
    case DType::f16:
      return fn(f16{});
    case DType::f64:
      return fn(double{});
    case DType::i32:
      return fn(std::int32_t{});
    case DType::i64:
      return fn(std::int64_t{});
  }
  throw_not_floating(dtype, "dispatch_dtype");
}

}  // namespace ty
