// Scalar formulas that more than one backend evaluates, on hosts and devices; each is written here
// once.
#pragma once

#include <cmath>
#include <numbers>

#include "core/backend/options.h"
#include "core/base/host_device.h"

namespace ty::formulas {

inline constexpr double kGeluTanhScale = 0.79788456080286535588;  // sqrt(2 / pi)
inline constexpr double kGeluTanhCubic = 0.044715;
inline constexpr double kQuickGeluScale = 1.702;
inline constexpr double kInvSqrt2 = 0.70710678118654752440;
inline constexpr double kInvSqrt2Pi = 0.39894228040143267794;

// x sigmoid(k x).
template <typename T>
TY_HOST_DEVICE T gated(T x, T k) {
  return x / (T(1) + std::exp(-k * x));
}

template <typename T>
TY_HOST_DEVICE T gated_derivative(T x, T k) {
  const T s = T(1) / (T(1) + std::exp(-k * x));
  return s + k * x * s * (T(1) - s);
}

template <typename T>
TY_HOST_DEVICE T unary(UnaryOp op, T x) {
  switch (op) {
    case UnaryOp::relu:
      return x < T(0) ? T(0) : x;  // NaN stays
    case UnaryOp::gelu_tanh: {
      const T u = T(kGeluTanhScale) * (x + T(kGeluTanhCubic) * x * x * x);
      return T(0.5) * x * (T(1) + std::tanh(u));
    }
    case UnaryOp::gelu_erf:
      return T(0.5) * x * (T(1) + std::erf(x * T(kInvSqrt2)));
    case UnaryOp::silu:
      return gated(x, T(1));
    case UnaryOp::quick_gelu:
      return gated(x, T(kQuickGeluScale));
    case UnaryOp::tanh:
      return std::tanh(x);
  }
  return x;
}

template <typename T>
TY_HOST_DEVICE T unary_derivative(UnaryOp op, T x) {
  switch (op) {
    case UnaryOp::relu:
      return x > T(0) ? T(1) : T(0);
    case UnaryOp::gelu_tanh: {
      const T t = std::tanh(T(kGeluTanhScale) * (x + T(kGeluTanhCubic) * x * x * x));
      const T du = T(kGeluTanhScale) * (T(1) + T(3 * kGeluTanhCubic) * x * x);
      return T(0.5) * (T(1) + t) + T(0.5) * x * (T(1) - t * t) * du;
    }
    case UnaryOp::gelu_erf:
      return T(0.5) * (T(1) + std::erf(x * T(kInvSqrt2))) +
             x * T(kInvSqrt2Pi) * std::exp(T(-0.5) * x * x);
    case UnaryOp::silu:
      return gated_derivative(x, T(1));
    case UnaryOp::quick_gelu:
      return gated_derivative(x, T(kQuickGeluScale));
    case UnaryOp::tanh: {
      const T t = std::tanh(x);
      return T(1) - t * t;
    }
  }
  return T(1);
}

template <typename T>
TY_HOST_DEVICE T binary(BinaryOp op, T a, T b) {
  switch (op) {
    case BinaryOp::add:
      return a + b;
    case BinaryOp::sub:
      return a - b;
    case BinaryOp::mul:
      return a * b;
    case BinaryOp::div:
      return a / b;
  }
  return a;
}

// The factor of one element of a row with these random words: 1 / (1 - p) if it is kept, 0 if it is
// dropped.
template <typename T>
T dropout_factor(const DropoutMask& mask, DropoutMask::Words row, std::int64_t element) {
  const float u =
      uniform_float(mask.stream.word(row.sample, row.first + static_cast<std::uint64_t>(element)));
  return static_cast<double>(u) < mask.p ? T(0) : static_cast<T>(1.0 / (1.0 - mask.p));
}

// Rounds x to the number of T just above or just below; if u is uniform in [0, 1), the mean is x.
//   bf16, x = 1 + 1/512:  1 ---x-----------|--- 1 + 1/128   up with probability 1/4
template <typename T>
TY_HOST_DEVICE T round_stochastic(float x, float u) {
  T near(x);
  const auto rounded = static_cast<float>(near);
  if (rounded == x || !std::isfinite(rounded)) return near;
  T other = near;
  const bool outward = std::abs(rounded) < std::abs(x);  // bits grow with the magnitude
  other.bits = static_cast<std::uint16_t>(outward ? near.bits + 1 : near.bits - 1);
  const float share = (x - rounded) / (static_cast<float>(other) - rounded);
  return u < share ? other : near;
}

// The constants of one AdamW step.
struct AdamWStep {
  double decay, step_size, inv_sqrt_correction2;
  explicit AdamWStep(const AdamW& o)
      : decay(1.0 - o.lr * o.weight_decay),
        step_size(o.lr / (1.0 - std::pow(o.beta1, static_cast<double>(o.step)))),
        inv_sqrt_correction2(1.0 /
                             std::sqrt(1.0 - std::pow(o.beta2, static_cast<double>(o.step)))) {}
};

template <typename T>
TY_HOST_DEVICE void adamw(T& w, T& m, T& v, T gradient, const AdamW& o, const AdamWStep& s) {
  const T g = gradient * static_cast<T>(o.gradient_scale);
  m = static_cast<T>(o.beta1) * m + static_cast<T>(1.0 - o.beta1) * g;
  v = static_cast<T>(o.beta2) * v + static_cast<T>(1.0 - o.beta2) * g * g;
  const T denominator =
      std::sqrt(v) * static_cast<T>(s.inv_sqrt_correction2) + static_cast<T>(o.eps);
  w = w * static_cast<T>(s.decay) - static_cast<T>(s.step_size) * m / denominator;
}

// What scales numbers of this sum of squares to a norm of at most `limit`; NaN is left as it is.
TY_HOST_DEVICE inline double within_norm(double squares, double limit) {
  return squares > limit * limit ? limit / std::sqrt(squares) : 1.0;
}

// offset + the sum of squares[i]^(1 / root).
TY_HOST_DEVICE inline double sum_of_norms(const double* squares, std::int64_t count, double root,
                                          double offset) {
  double sum = offset;
  for (std::int64_t i = 0; i < count; ++i) sum += std::pow(squares[i], 1.0 / root);
  return sum;
}

}  // namespace ty::formulas
