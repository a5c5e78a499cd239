// The element types of kernels. bf16 and fp16 are storage: what is computed with them is float.
#pragma once

#include "core/base/dtype.h"
#include "core/base/host_device.h"

namespace ty::cuda::kernel {

struct Bf16 {
  std::uint16_t bits;
  Bf16() = default;
  TY_HOST_DEVICE explicit Bf16(float x) {
#ifdef __CUDA_ARCH__
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
#else
    bits = ty::bf16(x).bits;
#endif
  }
  TY_HOST_DEVICE explicit operator float() const {
#ifdef __CUDA_ARCH__
    return __uint_as_float(static_cast<unsigned>(bits) << 16);
#else
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
#endif
  }
};

struct F16 {
  std::uint16_t bits;
  F16() = default;
  TY_HOST_DEVICE explicit F16(float x) {
#ifdef __CUDA_ARCH__
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
#else
    bits = ty::f16(x).bits;
#endif
  }
  TY_HOST_DEVICE explicit operator float() const {
#ifdef __CUDA_ARCH__
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
#else
    ty::f16 half;
    half.bits = bits;
    return static_cast<float>(half);
#endif
  }
};

// No operand. Its elements read as zero.
struct Nothing {};

template <typename T>
inline constexpr std::int64_t kSize = sizeof(T);
template <>
inline constexpr std::int64_t kSize<Nothing> = 1;

// The type in which values of T are accumulated.
template <typename T>
using Accumulator = std::conditional_t<std::is_same_v<T, double>, double, float>;
// The narrowest type in which values of both can be computed with.
template <typename A, typename B>
using Wider =
    std::conditional_t<std::is_same_v<A, double> || std::is_same_v<B, double>, double, float>;

// Conversions between an element and what is computed with.
template <typename C, typename T>
TY_HOST_DEVICE inline C widen(T x) {
  if constexpr (std::is_same_v<T, Nothing>) {
    return C(0);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<C>(x);
  } else {
    return static_cast<C>(static_cast<float>(x));
  }
}
template <typename T, typename C>
TY_HOST_DEVICE inline T narrow(C value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<T>(value);
  } else {
    return T(static_cast<float>(value));
  }
}

// Calls fn with an element of the type that stores a dtype.
template <typename Fn>
void dispatch(DType dtype, const char* what, Fn&& fn) {
  switch (dtype) {
    case DType::f32:
      return fn(float{});
    case DType::bf16:
      return fn(Bf16{});
    case DType::f16:
      return fn(F16{});
    case DType::f64:
      return fn(double{});
    default:
      throw_not_floating(dtype, what);
  }
}
// The same for types as wide as an accumulator.
template <typename Fn>
void dispatch_wide(DType dtype, const char* what, Fn&& fn) {
  switch (dtype) {
    case DType::f32:
      return fn(float{});
    case DType::f64:
      return fn(double{});
    default:
      throw_not_floating(dtype, what);
  }
}

// Calls fn with an unsigned word of an element's size: for what moves elements and reads none.
template <typename Fn>
void dispatch_word(DType dtype, Fn&& fn) {
  switch (size_of(dtype)) {
    case 2:
      return fn(std::uint16_t{});
    case 4:
      return fn(std::uint32_t{});
    default:
      return fn(std::uint64_t{});
  }
}

}  // namespace ty::cuda::kernel
