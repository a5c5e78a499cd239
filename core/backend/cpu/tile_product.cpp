#include "core/backend/cpu/tile_product.h"

#include <array>
#include <cstring>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/backend/cpu/tile_product.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ty::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The sums, a row of b and one element of a fill 16 registers, or 32 with AVX-512.
constexpr bool kMany = HWY_TARGET <= HWY_AVX3;
constexpr int kVectors = 3;
constexpr std::array<int, kVectors> kRows = {kMany ? 14 : 6, kMany ? 14 : 6, kMany ? 9 : 4};

template <int kR, int kV, typename T>
HWY_INLINE void multiply_tile(const TileProduct<T>& t) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V sums[kR][kV];
#pragma GCC unroll 14
  for (int i = 0; i < kR; ++i) {
#pragma GCC unroll 3
    for (int v = 0; v < kV; ++v) sums[i][v] = hn::Zero(d);
  }
  // Every third row has a pointer of its own; the others are one or two steps away.
  const T* a[(kR + 2) / 3];
#pragma GCC unroll 5
  for (int i = 0; i < (kR + 2) / 3; ++i) a[i] = t.a + 3 * i * t.a_row;
  const T* b = t.b;
  const std::int64_t row = t.a_row, column = t.a_column;
  for (std::int64_t p = 0; p < t.inner; ++p) {
    V x[kV];
#pragma GCC unroll 3
    for (int v = 0; v < kV; ++v) x[v] = hn::LoadU(d, b + v * lanes);
#pragma GCC unroll 14
    for (int i = 0; i < kR; ++i) {
      const V each = hn::Set(d, a[i / 3][i % 3 * row]);
#pragma GCC unroll 3
      for (int v = 0; v < kV; ++v) sums[i][v] = hn::MulAdd(each, x[v], sums[i][v]);
    }
#pragma GCC unroll 5
    for (int i = 0; i < (kR + 2) / 3; ++i) a[i] += column;
    b += kV * lanes;
  }
  const V beta = hn::Set(d, t.beta);
  const auto last = hn::FirstN(d, static_cast<std::size_t>(t.last));
#pragma GCC unroll 14
  for (int i = 0; i < kR; ++i) {
    T* c = t.c + t.c_rows[i];
#pragma GCC unroll 3
    for (int v = 0; v + 1 < kV; ++v) {
      T* to = c + t.c_vectors[v];
      if (t.beta != T(0)) sums[i][v] = hn::MulAdd(beta, hn::LoadU(d, to), sums[i][v]);
      hn::StoreU(sums[i][v], d, to);
    }
    T* to = c + t.c_vectors[kV - 1];
    V& sum = sums[i][kV - 1];
    if (t.beta != T(0)) sum = hn::MulAdd(beta, hn::MaskedLoad(last, d, to), sum);
    hn::BlendedStore(sum, last, d, to);
  }
}

template <typename T>
using TileFunction = void (*)(const TileProduct<T>&);

template <typename T, int kR, int kV>
HWY_NOINLINE void Tile(const TileProduct<T>& t) {
  multiply_tile<kR, kV>(t);
}

// The functions for 1, 2, .. rows.
template <typename T, int kV, int... kIndex>
constexpr std::array<TileFunction<T>, sizeof...(kIndex)> by_rows(
    std::integer_sequence<int, kIndex...>) {
  return {&Tile<T, kIndex + 1, kV>...};
}
template <typename T, int kV>
void multiply_vectors(const TileProduct<T>& t) {
  static constexpr auto kFunctions =
      by_rows<T, kV>(std::make_integer_sequence<int, kRows[kV - 1]>{});
  kFunctions[static_cast<std::size_t>(t.rows - 1)](t);
}

template <typename T>
void multiply_any(const TileProduct<T>& t) {
  if (t.vectors == 1) return multiply_vectors<T, 1>(t);
  if (t.vectors == 2) return multiply_vectors<T, 2>(t);
  multiply_vectors<T, 3>(t);
}

template <int kCount, typename T>
void gather_strips(const Gather<T>& g) {
  for (std::int64_t i = 0; i < std::ssize(g.rows); ++i) {
    const T* x = g.x + g.rows[static_cast<std::size_t>(i)];
    for (const Strip& s : g.strips) {
      std::memcpy(g.y + s.to + i * s.row, x + s.from, kCount * sizeof(T));
    }
  }
}

template <typename T, std::size_t... kIndex>
void gather_any(const Gather<T>& g, std::index_sequence<kIndex...>) {
  ((g.count == kStripSizes[kIndex] ? gather_strips<kStripSizes[kIndex]>(g) : void()), ...);
}
template <typename T>
void gather_any(const Gather<T>& g) {
  gather_any(g, std::make_index_sequence<kStripSizes.size()>{});
}

void MultiplyF32(const TileProduct<float>& t) { multiply_any(t); }
void MultiplyF64(const TileProduct<double>& t) { multiply_any(t); }
void GatherF32(const Gather<float>& g) { gather_any(g); }
void GatherF64(const Gather<double>& g) { gather_any(g); }
TileLimits LimitsF32() { return {static_cast<int>(hn::Lanes(hn::ScalableTag<float>())), kRows}; }
TileLimits LimitsF64() { return {static_cast<int>(hn::Lanes(hn::ScalableTag<double>())), kRows}; }

}  // namespace HWY_NAMESPACE
}  // namespace ty::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ty::cpu {

HWY_EXPORT(MultiplyF32);
HWY_EXPORT(MultiplyF64);
HWY_EXPORT(GatherF32);
HWY_EXPORT(GatherF64);
HWY_EXPORT(LimitsF32);
HWY_EXPORT(LimitsF64);

TileLimits tile_limits(float) { return HWY_DYNAMIC_DISPATCH(LimitsF32)(); }
TileLimits tile_limits(double) { return HWY_DYNAMIC_DISPATCH(LimitsF64)(); }
void multiply(const TileProduct<float>& t) { HWY_DYNAMIC_DISPATCH(MultiplyF32)(t); }
void multiply(const TileProduct<double>& t) { HWY_DYNAMIC_DISPATCH(MultiplyF64)(t); }
void gather(const Gather<float>& g) { HWY_DYNAMIC_DISPATCH(GatherF32)(g); }
void gather(const Gather<double>& g) { HWY_DYNAMIC_DISPATCH(GatherF64)(g); }

}  // namespace ty::cpu
#endif
