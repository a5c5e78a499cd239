#include "core/backend/cpu/spans.h"

#include "core/backend/formulas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/backend/cpu/spans.cpp"
#include <hwy/foreach_target.h>

#include "core/backend/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ty::spans {
namespace HWY_NAMESPACE {

HWY_INLINE V sigmoid(V x) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, exp(hn::Neg(x))));
}

// 2 sqrt(2/pi) (x + c x^3): gelu_tanh(x) = x sigmoid of this.
HWY_INLINE V gelu_argument(V x) {
  const D d;
  const V a = hn::Set(d, static_cast<float>(2 * formulas::kGeluTanhScale));
  const V b =
      hn::Set(d, static_cast<float>(2 * formulas::kGeluTanhScale * formulas::kGeluTanhCubic));
  return hn::Mul(x, hn::MulAdd(b, hn::Mul(x, x), a));
}

// Standard normal distribution function from erf, Abramowitz and Stegun 7.1.26 (error 1.5e-7).
// gauss receives exp(-x^2 / 2).
HWY_INLINE V normal_cdf(V x, V& gauss) {
  const D d;
  const auto c = [&](double value) { return hn::Set(d, static_cast<float>(value)); };
  const V z = hn::Mul(hn::Abs(x), c(formulas::kInvSqrt2));
  gauss = exp(hn::Neg(hn::Mul(z, z)));
  const V t = hn::Div(c(1.0), hn::MulAdd(c(0.3275911), z, c(1.0)));
  V poly = hn::MulAdd(c(1.061405429), t, c(-1.453152027));
  poly = hn::MulAdd(poly, t, c(1.421413741));
  poly = hn::MulAdd(poly, t, c(-0.284496736));
  poly = hn::MulAdd(poly, t, c(0.254829592));
  const V tail = hn::Mul(c(0.5), hn::Mul(hn::Mul(poly, t), gauss));  // 1 - cdf(|x|)
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(c(1.0), tail));
}

// tanh of every x. Highway's own gives 1 for NaN, which would hide it.
HWY_INLINE V tanh(V x) {
  const D d;
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, x));
}

// x sigmoid(k x).
HWY_INLINE V gated(V x, float k) {
  const D d;
  return hn::Mul(x, sigmoid(hn::Mul(hn::Set(d, k), x)));
}
HWY_INLINE V gated_slope(V x, float k) {
  const D d;
  const V kx = hn::Mul(hn::Set(d, k), x);
  const V s = sigmoid(kx);
  return hn::MulAdd(hn::Mul(kx, s), hn::Sub(hn::Set(d, 1.0f), s), s);
}

constexpr auto kQuick = static_cast<float>(formulas::kQuickGeluScale);

void Unary(UnaryOp op, float* y, const float* x, std::int64_t n) {
  const D d;
  switch (op) {
    case UnaryOp::relu:
      // NaN in the second operand of Max survives.
      return map(y, x, n, [&](V v) { return hn::Max(hn::Zero(d), v); });
    case UnaryOp::gelu_tanh:
      return map(y, x, n, [&](V v) { return hn::Mul(v, sigmoid(gelu_argument(v))); });
    case UnaryOp::gelu_erf:
      return map(y, x, n, [&](V v) {
        V gauss;
        return hn::Mul(v, normal_cdf(v, gauss));
      });
    case UnaryOp::silu:
      return map(y, x, n, [&](V v) { return gated(v, 1.0f); });
    case UnaryOp::quick_gelu:
      return map(y, x, n, [&](V v) { return gated(v, kQuick); });
    case UnaryOp::tanh:
      return map(y, x, n, [&](V v) { return tanh(v); });
  }
}

void UnaryGrad(UnaryOp op, float* dx, const float* x, const float* dy, std::int64_t n) {
  const D d;
  const auto with = [&](auto slope) {
    for_lanes(n, [&](std::int64_t i, std::size_t k) {
      store(hn::Mul(load(dy + i, k), slope(load(x + i, k))), dx + i, k);
    });
  };
  const V one = hn::Set(d, 1.0f);
  switch (op) {
    case UnaryOp::relu:
      return with([&](V v) { return hn::IfThenElseZero(hn::Gt(v, hn::Zero(d)), one); });
    case UnaryOp::gelu_tanh:
      return with([&](V v) {
        const V a = hn::Set(d, static_cast<float>(2 * formulas::kGeluTanhScale));
        const V b =
            hn::Set(d, static_cast<float>(6 * formulas::kGeluTanhScale * formulas::kGeluTanhCubic));
        const V s = sigmoid(gelu_argument(v));
        const V du = hn::MulAdd(b, hn::Mul(v, v), a);
        return hn::MulAdd(hn::Mul(hn::Mul(v, s), hn::Sub(one, s)), du, s);
      });
    case UnaryOp::gelu_erf:
      return with([&](V v) {
        V gauss;
        const V cdf = normal_cdf(v, gauss);
        const V density = hn::Mul(gauss, hn::Set(d, static_cast<float>(formulas::kInvSqrt2Pi)));
        return hn::MulAdd(v, density, cdf);
      });
    case UnaryOp::silu:
      return with([&](V v) { return gated_slope(v, 1.0f); });
    case UnaryOp::quick_gelu:
      return with([&](V v) { return gated_slope(v, kQuick); });
    case UnaryOp::tanh:
      return with([&](V v) {
        const V t = tanh(v);
        return hn::NegMulAdd(t, t, one);
      });
  }
}

template <typename Fn>
HWY_INLINE void zip(float* y, const float* a, const float* b, std::int64_t n, int b_step, Fn fn) {
  const D d;
  if (b_step == 0) {
    const V right = hn::Set(d, b[0]);
    map(y, a, n, [&](V left) { return fn(left, right); });
  } else {
    for_lanes(n, [&](std::int64_t i, std::size_t k) {
      store(fn(load(a + i, k), load(b + i, k)), y + i, k);
    });
  }
}

void Binary(BinaryOp op, float* y, const float* a, const float* b, std::int64_t n, int b_step) {
  switch (op) {
    case BinaryOp::add:
      return zip(y, a, b, n, b_step, [](V l, V r) { return hn::Add(l, r); });
    case BinaryOp::sub:
      return zip(y, a, b, n, b_step, [](V l, V r) { return hn::Sub(l, r); });
    case BinaryOp::mul:
      return zip(y, a, b, n, b_step, [](V l, V r) { return hn::Mul(l, r); });
    case BinaryOp::div:
      return zip(y, a, b, n, b_step, [](V l, V r) { return hn::Div(l, r); });
  }
}

void Axpby(float* y, float alpha, const float* x, float beta, std::int64_t n) {
  const D d;
  const V va = hn::Set(d, alpha);
  const V vb = hn::Set(d, beta);
  if (beta == 0.0f) return map(y, x, n, [&](V v) { return hn::Mul(va, v); });
  for_lanes(n, [&](std::int64_t i, std::size_t k) {
    store(hn::MulAdd(va, load(x + i, k), hn::Mul(vb, load(y + i, k))), y + i, k);
  });
}

void AdamWSpan(float* w, float* m, float* v, const float* g, const AdamWConstants& c,
               std::int64_t n) {
  const D d;
  const V scale = hn::Set(d, c.gradient_scale), beta1 = hn::Set(d, c.beta1),
          beta2 = hn::Set(d, c.beta2), rest1 = hn::Set(d, 1.0f - c.beta1),
          rest2 = hn::Set(d, 1.0f - c.beta2), decay = hn::Set(d, c.decay),
          step = hn::Set(d, c.step_size), correction = hn::Set(d, c.inv_sqrt_correction2),
          eps = hn::Set(d, c.eps);
  for_lanes(n, [&](std::int64_t i, std::size_t k) {
    const V grad = hn::Mul(load(g + i, k), scale);
    const V first = hn::MulAdd(beta1, load(m + i, k), hn::Mul(rest1, grad));
    const V second = hn::MulAdd(beta2, load(v + i, k), hn::Mul(rest2, hn::Mul(grad, grad)));
    store(first, m + i, k);
    store(second, v + i, k);
    const V denominator = hn::MulAdd(hn::Sqrt(second), correction, eps);
    const V moved = hn::Mul(step, hn::Div(first, denominator));
    store(hn::Sub(hn::Mul(load(w + i, k), decay), moved), w + i, k);
  });
}

// Plain loops: the compiler vectorises them for each target.
void Bf16ToFloat(float* y, const bf16* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}
void FloatToBf16(bf16* y, const float* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = bf16(x[i]);
}

// Highway's half conversions round as ours only where the processor has them.
#if HWY_TARGET <= HWY_AVX2
constexpr bool kNativeHalf = true;
#else
constexpr bool kNativeHalf = false;
#endif

void F16ToFloat(float* y, const f16* x, std::int64_t n) {
  const D d;
  const hn::Rebind<hwy::float16_t, D> half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; kNativeHalf && i + lanes <= n; i += lanes) {
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(x + i))), d,
               y + i);
  }
  for (; i < n; ++i) y[i] = static_cast<float>(x[i]);
}
void FloatToF16(f16* y, const float* x, std::int64_t n) {
  const D d;
  const hn::Rebind<hwy::float16_t, D> half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; kNativeHalf && i + lanes <= n; i += lanes) {
    hn::StoreU(hn::DemoteTo(half, hn::LoadU(d, x + i)), half,
               reinterpret_cast<hwy::float16_t*>(y + i));
  }
  for (; i < n; ++i) y[i] = f16(x[i]);
}

}  // namespace HWY_NAMESPACE
}  // namespace ty::spans
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ty::spans {

HWY_EXPORT(Unary);
HWY_EXPORT(UnaryGrad);
HWY_EXPORT(Binary);
HWY_EXPORT(Axpby);
HWY_EXPORT(AdamWSpan);
HWY_EXPORT(Bf16ToFloat);
HWY_EXPORT(FloatToBf16);
HWY_EXPORT(F16ToFloat);
HWY_EXPORT(FloatToF16);

void unary(UnaryOp op, float* y, const float* x, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Unary)(op, y, x, n);
}
void unary_grad(UnaryOp op, float* dx, const float* x, const float* dy, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(UnaryGrad)(op, dx, x, dy, n);
}
void binary(BinaryOp op, float* y, const float* a, const float* b, std::int64_t n, int b_step) {
  HWY_DYNAMIC_DISPATCH(Binary)(op, y, a, b, n, b_step);
}
void axpby(float* y, float alpha, const float* x, float beta, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Axpby)(y, alpha, x, beta, n);
}
void adamw(float* w, float* m, float* v, const float* g, const AdamWConstants& c, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(AdamWSpan)(w, m, v, g, c, n);
}
void to_float(float* y, const bf16* x, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Bf16ToFloat)(y, x, n);
}
void from_float(bf16* y, const float* x, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(FloatToBf16)(y, x, n);
}
void to_float(float* y, const f16* x, std::int64_t n) { HWY_DYNAMIC_DISPATCH(F16ToFloat)(y, x, n); }
void from_float(f16* y, const float* x, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(FloatToF16)(y, x, n);
}

}  // namespace ty::spans
#endif
