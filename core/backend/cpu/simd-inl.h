// Loops over runs of floats in SIMD lanes, included once per instruction set by the files of span
// functions. Tails use partial loads, so memory past the end of a run is never touched.
#if defined(TY_CORE_BACKEND_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TY_CORE_BACKEND_CPU_SIMD_INL_H_
#undef TY_CORE_BACKEND_CPU_SIMD_INL_H_
#else
#define TY_CORE_BACKEND_CPU_SIMD_INL_H_
#endif

#include <hwy/highway.h>
// After highway.h:
#include <hwy/contrib/math/math-inl.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace ty::spans {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Calls fn(first, count) for each vector of a run; count is smaller than a vector for the tail.
template <typename Fn>
HWY_INLINE void for_lanes(std::int64_t n, Fn fn) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) fn(i, static_cast<std::size_t>(lanes));
  if (i < n) fn(i, static_cast<std::size_t>(n - i));
}

// The first `count` lanes; the others are zero. Never touches memory past them.
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

// e^x for every x. Highway's own function requires x <= 104 and returns 0 for NaN, which would hide
// it.
HWY_INLINE V exp(V x) {
  const D d;
  const V y = hn::Exp(d, hn::Min(x, hn::Set(d, 100.0f)));  // e^100 is infinite already
  return hn::IfThenElse(hn::IsNaN(x), x, y);
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

}  // namespace HWY_NAMESPACE
}  // namespace ty::spans
HWY_AFTER_NAMESPACE();

#endif  // per target
