#include "core/backend/cpu/spans.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/backend/cpu/row_spans.cpp"
#include <hwy/foreach_target.h>

#include "core/backend/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ty::spans {
namespace HWY_NAMESPACE {

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
  const hn::ScalableTag<double> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(wide));
  auto s0 = hn::Zero(wide), s1 = s0;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto a = hn::PromoteTo(wide, hn::LoadU(narrow, x + i));
    const auto b = hn::PromoteTo(wide, hn::LoadU(narrow, x + i + lanes));
    s0 = hn::MulAdd(a, a, s0);
    s1 = hn::MulAdd(b, b, s1);
  }
  double sum = hn::GetLane(hn::SumOfLanes(wide, hn::Add(s0, s1)));
  for (; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
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
    const V e = exp(hn::Sub(load(x + i, k), s));
    store(e, y + i, k);
    return k == hn::Lanes(d) ? e : hn::IfThenElseZero(hn::FirstN(d, k), e);
  });
}

float SumExpShifted(const float* x, float shift, std::int64_t n) {
  const D d;
  const V s = hn::Set(d, shift);
  return reduce(n, [&](std::int64_t i, std::size_t k) {
    const V e = exp(hn::Sub(load(x + i, k), s));
    return k == hn::Lanes(d) ? e : hn::IfThenElseZero(hn::FirstN(d, k), e);
  });
}

void ScaledExp(float* y, const float* x, float shift, float weight, std::int64_t n) {
  const D d;
  const V s = hn::Set(d, shift);
  const V w = hn::Set(d, weight);
  map(y, x, n, [&](V v) { return hn::Mul(w, exp(hn::Sub(v, s))); });
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

}  // namespace HWY_NAMESPACE
}  // namespace ty::spans
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ty::spans {

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

}  // namespace ty::spans
#endif
