#include "core/backend/cpu/spans.h"

#include "core/backend/formulas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/backend/cpu/spans.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h:
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace ty::spans {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Calls fn(first, lanes, vector loaders...) over a run; the tail is done with partial loads.
template <typename Fn>
HWY_INLINE void for_lanes(std::int64_t n, Fn fn) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) fn(i, static_cast<std::size_t>(lanes));
  if (i < n) fn(i, static_cast<std::size_t>(n - i));
}

// The first `count` lanes; the rest are zero. Never touches memory behind them.
HWY_INLINE V load(const float* p, std::size_t count) {
  const D d;
  if (HWY_LIKELY(count == hn::Lanes(d))) return hn::LoadU(d, p);
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)] = {};
  for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
  return hn::Load(d, lanes);
}
HWY_INLINE void store(V v, float* p, std::size_t count) {
  const D d;
  if (HWY_LIKELY(count == hn::Lanes(d))) return hn::StoreU(v, d, p);
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, lanes);
  for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
}

// One run through memory: y[i] = fn(x[i]).
template <typename Fn>
HWY_INLINE void map(float* y, const float* x, std::int64_t n, Fn fn) {
  for_lanes(n, [&](std::int64_t i, std::size_t k) { store(fn(load(x + i, k)), y + i, k); });
}

HWY_INLINE V sigmoid(V x) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(x))));
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
  gauss = hn::Exp(d, hn::Neg(hn::Mul(z, z)));
  const V t = hn::Div(c(1.0), hn::MulAdd(c(0.3275911), z, c(1.0)));
  V poly = hn::MulAdd(c(1.061405429), t, c(-1.453152027));
  poly = hn::MulAdd(poly, t, c(1.421413741));
  poly = hn::MulAdd(poly, t, c(-0.284496736));
  poly = hn::MulAdd(poly, t, c(0.254829592));
  const V tail = hn::Mul(c(0.5), hn::Mul(hn::Mul(poly, t), gauss));  // 1 - cdf(|x|)
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(c(1.0), tail));
}

void Unary(UnaryOp op, float* y, const float* x, std::int64_t n) {
  const D d;
  switch (op) {
    case UnaryOp::relu:
      return map(y, x, n, [&](V v) { return hn::Max(v, hn::Zero(d)); });
    case UnaryOp::gelu_tanh:
      return map(y, x, n, [&](V v) { return hn::Mul(v, sigmoid(gelu_argument(v))); });
    case UnaryOp::gelu_erf:
      return map(y, x, n, [&](V v) {
        V gauss;
        return hn::Mul(v, normal_cdf(v, gauss));
      });
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

// Sum of term(i, count) over a run, in four independent vectors.
template <typename Term>
HWY_INLINE float reduce(std::int64_t n, Term term) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    const auto full = static_cast<std::size_t>(lanes);
    s0 = hn::Add(s0, term(i, full));
    s1 = hn::Add(s1, term(i + lanes, full));
    s2 = hn::Add(s2, term(i + 2 * lanes, full));
    s3 = hn::Add(s3, term(i + 3 * lanes, full));
  }
  for (; i < n; i += lanes) {
    s0 = hn::Add(s0, term(i, static_cast<std::size_t>(HWY_MIN(lanes, n - i))));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

// Partial sums of at most this many floats are added up in double.
constexpr std::int64_t kSumRun = 1024;

template <typename Term>
HWY_INLINE double reduce_double(std::int64_t n, Term term) {
  double total = 0;
  for (std::int64_t first = 0; first < n; first += kSumRun) {
    total +=
        static_cast<double>(reduce(HWY_MIN(kSumRun, n - first), [&](std::int64_t i, std::size_t k) {
          return term(first + i, k);
        }));
  }
  return total;
}

double Sum(const float* x, std::int64_t n) {
  return reduce_double(n, [&](std::int64_t i, std::size_t k) { return load(x + i, k); });
}

double SumSquares(const float* x, std::int64_t n) {
  return reduce_double(n, [&](std::int64_t i, std::size_t k) {
    const V v = load(x + i, k);
    return hn::Mul(v, v);
  });
}

float Dot(const float* a, const float* b, std::int64_t n) {
  return reduce(
      n, [&](std::int64_t i, std::size_t k) { return hn::Mul(load(a + i, k), load(b + i, k)); });
}

float MaxOf(const float* x, std::int64_t n) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V top = hn::Set(d, x[0]);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) top = hn::Max(top, hn::LoadU(d, x + i));
  float best = hn::GetLane(hn::MaxOfLanes(d, top));
  for (; i < n; ++i) best = HWY_MAX(best, x[i]);
  return best;
}

float ExpShifted(float* y, const float* x, float shift, std::int64_t n) {
  const D d;
  const V s = hn::Set(d, shift);
  return reduce(n, [&](std::int64_t i, std::size_t k) {
    const V e = hn::Exp(d, hn::Sub(load(x + i, k), s));
    store(e, y + i, k);
    return k == hn::Lanes(d) ? e : hn::IfThenElseZero(hn::FirstN(d, k), e);
  });
}

float SumExpShifted(const float* x, float shift, std::int64_t n) {
  const D d;
  const V s = hn::Set(d, shift);
  return reduce(n, [&](std::int64_t i, std::size_t k) {
    const V e = hn::Exp(d, hn::Sub(load(x + i, k), s));
    return k == hn::Lanes(d) ? e : hn::IfThenElseZero(hn::FirstN(d, k), e);
  });
}

void ScaledExp(float* y, const float* x, float shift, float weight, std::int64_t n) {
  const D d;
  const V s = hn::Set(d, shift);
  const V w = hn::Set(d, weight);
  map(y, x, n, [&](V v) { return hn::Mul(w, hn::Exp(d, hn::Sub(v, s))); });
}

void Normalise(float* y, const float* x, float mean, float rstd, const float* gamma,
               const float* beta, std::int64_t n) {
  const D d;
  const V mu = hn::Set(d, mean);
  const V r = hn::Set(d, rstd);
  for_lanes(n, [&](std::int64_t i, std::size_t k) {
    const V unit = hn::Mul(hn::Sub(load(x + i, k), mu), r);
    store(hn::MulAdd(unit, load(gamma + i, k), load(beta + i, k)), y + i, k);
  });
}

float SumDeviations(const float* x, float mean, std::int64_t n) {
  const D d;
  const V mu = hn::Set(d, mean);
  return reduce(n, [&](std::int64_t i, std::size_t k) {
    V v = hn::Sub(load(x + i, k), mu);
    if (k != hn::Lanes(d)) v = hn::IfThenElseZero(hn::FirstN(d, k), v);
    return hn::Mul(v, v);
  });
}

void NormaliseGrad(float* dx, float* dgamma, float* dbeta, const float* dy, const float* x,
                   float mean, float rstd, const float* gamma, std::int64_t n) {
  const D d;
  const V mu = hn::Set(d, mean);
  const V r = hn::Set(d, rstd);
  const float sum = reduce(n, [&](std::int64_t i, std::size_t k) {
    const V g = load(dy + i, k);
    store(hn::Add(load(dbeta + i, k), g), dbeta + i, k);
    return hn::Mul(g, load(gamma + i, k));
  });
  const float dot = reduce(n, [&](std::int64_t i, std::size_t k) {
    const V g = load(dy + i, k);
    const V unit = hn::Mul(hn::Sub(load(x + i, k), mu), r);
    store(hn::MulAdd(g, unit, load(dgamma + i, k)), dgamma + i, k);
    return hn::Mul(hn::Mul(g, load(gamma + i, k)), unit);
  });
  const V a = hn::Set(d, sum / static_cast<float>(n));
  const V b = hn::Set(d, dot / static_cast<float>(n));
  for_lanes(n, [&](std::int64_t i, std::size_t k) {
    const V unit = hn::Mul(hn::Sub(load(x + i, k), mu), r);
    const V scaled = hn::Mul(load(dy + i, k), load(gamma + i, k));
    store(hn::Mul(r, hn::Sub(hn::Sub(scaled, a), hn::Mul(unit, b))), dx + i, k);
  });
}

void SoftmaxGrad(float* dp, const float* p, float delta, float scale, std::int64_t n) {
  const D d;
  const V shift = hn::Set(d, delta);
  const V s = hn::Set(d, scale);
  for_lanes(n, [&](std::int64_t i, std::size_t k) {
    store(hn::Mul(hn::Mul(load(p + i, k), s), hn::Sub(load(dp + i, k), shift)), dp + i, k);
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

}  // namespace HWY_NAMESPACE
}  // namespace ty::spans
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ty::spans {

HWY_EXPORT(Unary);
HWY_EXPORT(UnaryGrad);
HWY_EXPORT(Binary);
HWY_EXPORT(Axpby);
HWY_EXPORT(Sum);
HWY_EXPORT(SumSquares);
HWY_EXPORT(Dot);
HWY_EXPORT(MaxOf);
HWY_EXPORT(ExpShifted);
HWY_EXPORT(SumExpShifted);
HWY_EXPORT(ScaledExp);
HWY_EXPORT(Normalise);
HWY_EXPORT(SumDeviations);
HWY_EXPORT(NormaliseGrad);
HWY_EXPORT(SoftmaxGrad);
HWY_EXPORT(AdamWSpan);
HWY_EXPORT(Bf16ToFloat);
HWY_EXPORT(FloatToBf16);

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
double sum(const float* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(Sum)(x, n); }
double sum_squares(const float* x, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(SumSquares)(x, n);
}
float dot(const float* a, const float* b, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(Dot)(a, b, n);
}
float max(const float* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(MaxOf)(x, n); }
float exp_shifted(float* y, const float* x, float shift, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(ExpShifted)(y, x, shift, n);
}
float sum_exp_shifted(const float* x, float shift, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(SumExpShifted)(x, shift, n);
}
void scaled_exp(float* y, const float* x, float shift, float weight, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(ScaledExp)(y, x, shift, weight, n);
}
void normalise(float* y, const float* x, float mean, float rstd, const float* gamma,
               const float* beta, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Normalise)(y, x, mean, rstd, gamma, beta, n);
}
float sum_deviations(const float* x, float mean, std::int64_t n) {
  return HWY_DYNAMIC_DISPATCH(SumDeviations)(x, mean, n);
}
void normalise_grad(float* dx, float* dgamma, float* dbeta, const float* dy, const float* x,
                    float mean, float rstd, const float* gamma, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(NormaliseGrad)(dx, dgamma, dbeta, dy, x, mean, rstd, gamma, n);
}
void softmax_grad(float* dp, const float* p, float delta, float scale, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(SoftmaxGrad)(dp, p, delta, scale, n);
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
void to_float(float* y, const f16* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i]);
}
void from_float(f16* y, const float* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = f16(x[i]);
}

}  // namespace ty::spans
#endif
