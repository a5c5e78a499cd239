#include <hwy/cache_control.h>

#include <algorithm>

#include "core/backend/cpu/few_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/backend/cpu/few_rows_blocks.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ty::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// A vector of elements as floats.
HWY_INLINE V widened(const float* p) { return hn::LoadU(D(), p); }
HWY_INLINE V widened(const bf16* p) {
  const hn::Rebind<std::uint16_t, D> half;
  const hn::RebindToUnsigned<D> whole;
  const auto bits = hn::LoadU(half, reinterpret_cast<const std::uint16_t*>(p));
  return hn::BitCast(D(), hn::ShiftLeft<16>(hn::PromoteTo(whole, bits)));
}
HWY_INLINE V widened(const f16* p) {
  const hn::Rebind<hwy::float16_t, D> half;
  return hn::PromoteTo(D(), hn::LoadU(half, reinterpret_cast<const hwy::float16_t*>(p)));
}
// The first `count` of them; the other lanes are zero, and their memory is not read.
template <typename T>
HWY_INLINE V widened(const T* p, std::int64_t count) {
  HWY_ALIGN T lanes[HWY_MAX_BYTES / sizeof(float)] = {};
  for (std::int64_t i = 0; i < count; ++i) lanes[i] = p[i];
  return widened(lanes);
}

HWY_INLINE std::int64_t lanes_of_vector() { return static_cast<std::int64_t>(hn::Lanes(D())); }

constexpr std::int64_t kTogether = 4;  // rows of w that are read side by side
constexpr std::int64_t kAhead = 8;     // rows of w that are asked for in advance

// Adds kRows rows of w, from row k on, to all of y.
template <int kRows, typename T>
HWY_INLINE void add_rows(const FewRows<T>& b, std::int64_t k) {
  const D d;
  const std::int64_t full = lanes_of_vector();
  const T* w = b.w + k * b.w_row;
  const std::int64_t ahead = k + kAhead + kRows <= b.inner ? kAhead * b.w_row : 0;
  for (std::int64_t j = 0; j < b.count; j += full) {
    const std::int64_t lanes = std::min(full, b.count - j);
    V row[kRows];
    for (int i = 0; i < kRows; ++i) {
      const T* at = w + i * b.w_row + j;
      hwy::Prefetch(at + ahead);
      row[i] = HWY_LIKELY(lanes == full) ? widened(at) : widened(at, lanes);
    }
    for (std::int64_t m = 0; m < b.rows; ++m) {
      const float* x = b.x + m * b.x_row + k;
      float* y = b.y + m * kBlockColumns + j;
      V sum = hn::LoadU(d, y);
      for (int i = 0; i < kRows; ++i) sum = hn::MulAdd(row[i], hn::Set(d, x[i]), sum);
      hn::StoreU(sum, d, y);
    }
  }
}

template <typename T>
void multiply_columns_of(const FewRows<T>& b) {
  std::fill_n(b.y, b.rows * kBlockColumns, 0.0f);
  std::int64_t k = 0;
  for (; k + kTogether <= b.inner; k += kTogether) add_rows<kTogether>(b, k);
  for (; k < b.inner; ++k) add_rows<1>(b, k);
}

// y[m, n .. n + kRows) of one row m: sums over lanes, and then of them.
template <int kRows, typename T>
HWY_INLINE void dot_rows(const FewRows<T>& b, std::int64_t n, std::int64_t m) {
  const D d;
  const std::int64_t full = lanes_of_vector();
  const float* x = b.x + m * b.x_row;
  const T* w = b.w + n * b.w_row;
  V sum[kRows];
  for (int i = 0; i < kRows; ++i) sum[i] = hn::Zero(d);
  // The rows behind these, which are next.
  const std::int64_t ahead = n + 2 * kRows <= b.count ? kRows * b.w_row : 0;
  std::int64_t k = 0;
  for (; k + full <= b.inner; k += full) {
    const V of_x = hn::LoadU(d, x + k);
    for (int i = 0; i < kRows; ++i) {
      const T* at = w + i * b.w_row + k;
      hwy::Prefetch(at + ahead);
      sum[i] = hn::MulAdd(widened(at), of_x, sum[i]);
    }
  }
  if (const std::int64_t left = b.inner - k; left > 0) {
    const V of_x = widened(x + k, left);
    for (int i = 0; i < kRows; ++i) {
      sum[i] = hn::MulAdd(widened(w + i * b.w_row + k, left), of_x, sum[i]);
    }
  }
  for (int i = 0; i < kRows; ++i) {
    b.y[m * kBlockColumns + n + i] = hn::GetLane(hn::SumOfLanes(d, sum[i]));
  }
}

template <typename T>
void multiply_rows_of(const FewRows<T>& b) {
  std::int64_t n = 0;
  for (; n + kTogether <= b.count; n += kTogether) {
    for (std::int64_t m = 0; m < b.rows; ++m) dot_rows<kTogether>(b, n, m);
  }
  for (; n < b.count; ++n) {
    for (std::int64_t m = 0; m < b.rows; ++m) dot_rows<1>(b, n, m);
  }
}

void ColumnsF32(const FewRows<float>& b) { multiply_columns_of(b); }
void ColumnsBf16(const FewRows<bf16>& b) { multiply_columns_of(b); }
void ColumnsF16(const FewRows<f16>& b) { multiply_columns_of(b); }
void RowsF32(const FewRows<float>& b) { multiply_rows_of(b); }
void RowsBf16(const FewRows<bf16>& b) { multiply_rows_of(b); }
void RowsF16(const FewRows<f16>& b) { multiply_rows_of(b); }

}  // namespace HWY_NAMESPACE
}  // namespace ty::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ty::cpu {

HWY_EXPORT(ColumnsF32);
HWY_EXPORT(ColumnsBf16);
HWY_EXPORT(ColumnsF16);
HWY_EXPORT(RowsF32);
HWY_EXPORT(RowsBf16);
HWY_EXPORT(RowsF16);

void multiply_columns(const FewRows<float>& b) { HWY_DYNAMIC_DISPATCH(ColumnsF32)(b); }
void multiply_columns(const FewRows<bf16>& b) { HWY_DYNAMIC_DISPATCH(ColumnsBf16)(b); }
void multiply_columns(const FewRows<f16>& b) { HWY_DYNAMIC_DISPATCH(ColumnsF16)(b); }
void multiply_rows(const FewRows<float>& b) { HWY_DYNAMIC_DISPATCH(RowsF32)(b); }
void multiply_rows(const FewRows<bf16>& b) { HWY_DYNAMIC_DISPATCH(RowsBf16)(b); }
void multiply_rows(const FewRows<f16>& b) { HWY_DYNAMIC_DISPATCH(RowsF16)(b); }

}  // namespace ty::cpu
#endif
