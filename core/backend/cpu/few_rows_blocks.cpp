#include <hwy/cache_control.h>

#include <algorithm>
#include <type_traits>

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

constexpr int kGroup = 4;           // rows of x whose sums are in registers together
constexpr int kTogether = 4;        // vectors, or rows of w, likewise
constexpr std::int64_t kDepth = 8;  // rows of w that are read for all columns before the next

// Calls f(first row of x, constant number of rows) for groups of rows that make up all.
template <typename F>
HWY_INLINE void for_groups(std::int64_t rows, const F& f) {
  std::int64_t m = 0;
  for (; m + kGroup <= rows; m += kGroup) f(m, std::integral_constant<int, kGroup>());
  switch (rows - m) {
    case 3:
      return f(m, std::integral_constant<int, 3>());
    case 2:
      return f(m, std::integral_constant<int, 2>());
    case 1:
      return f(m, std::integral_constant<int, 1>());
    default:
      return;
  }
}

// Rows [k, k + depth) of w, times kRows rows of x from m on.
struct Part {
  std::int64_t m, k, depth;
};

// Adds a part's products to y, for kVectors vectors of columns from j on; of a last one that is not
// full `lanes` count. `ahead`: elements from what is read to what is asked for in advance.
template <int kRows, int kVectors, bool kFull, typename T>
HWY_INLINE void add_part(const FewRows<T>& b, const Part& part, std::int64_t j, std::int64_t lanes,
                         std::int64_t ahead) {
  const D d;
  const std::int64_t full = lanes_of_vector();
  V sum[kRows][kVectors];
  for (int m = 0; m < kRows; ++m) {
    for (int i = 0; i < kVectors; ++i) {
      sum[m][i] = hn::LoadU(d, b.y + (part.m + m) * kBlockColumns + j + i * full);
    }
  }
  const T* w = b.w + part.k * b.w_row + j;
  const float* x = b.x + part.m * b.x_row + part.k;
  for (std::int64_t k = 0; k < part.depth; ++k, w += b.w_row, ++x) {
    V of_w[kVectors];
    for (int i = 0; i < kVectors; ++i) {
      const T* at = w + i * full;
      hwy::Prefetch(at + ahead);
      of_w[i] = kFull ? widened(at) : widened(at, lanes);
    }
    for (int m = 0; m < kRows; ++m) {
      const V of_x = hn::Set(d, x[m * b.x_row]);
      for (int i = 0; i < kVectors; ++i) sum[m][i] = hn::MulAdd(of_w[i], of_x, sum[m][i]);
    }
  }
  for (int m = 0; m < kRows; ++m) {
    for (int i = 0; i < kVectors; ++i) {
      hn::StoreU(sum[m][i], d, b.y + (part.m + m) * kBlockColumns + j + i * full);
    }
  }
}

template <typename T>
void multiply_columns_of(const FewRows<T>& b) {
  std::fill_n(b.y, b.rows * kBlockColumns, 0.0f);
  const std::int64_t full = lanes_of_vector(), wide = kTogether * full;
  for (std::int64_t k = 0; k < b.inner; k += kDepth) {
    const std::int64_t depth = std::min(kDepth, b.inner - k);
    const std::int64_t ahead = k + 2 * kDepth <= b.inner ? kDepth * b.w_row : 0;
    for_groups(b.rows, [&](std::int64_t m, auto rows) HWY_ATTR {
      const Part part = {m, k, depth};
      std::int64_t j = 0;
      for (; j + wide <= b.count; j += wide) {
        add_part<rows, kTogether, true>(b, part, j, full, ahead);
      }
      for (; j + full <= b.count; j += full) add_part<rows, 1, true>(b, part, j, full, ahead);
      if (j < b.count) add_part<rows, 1, false>(b, part, j, b.count - j, 0);
    });
  }
}

// y[m .. m + kRows, n .. n + kOfW): sums over lanes, and then of them. `ahead` as above.
template <int kRows, int kOfW, typename T>
HWY_INLINE void dot_rows(const FewRows<T>& b, std::int64_t m, std::int64_t n, std::int64_t ahead) {
  const D d;
  const std::int64_t full = lanes_of_vector();
  const float* x = b.x + m * b.x_row;
  const T* w = b.w + n * b.w_row;
  V sum[kRows][kOfW];
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < kOfW; ++i) sum[r][i] = hn::Zero(d);
  }
  const auto add = [&](std::int64_t k, const auto& load_w, const auto& load_x) HWY_ATTR {
    V of_w[kOfW];
    for (int i = 0; i < kOfW; ++i) of_w[i] = load_w(w + i * b.w_row + k);
    for (int r = 0; r < kRows; ++r) {
      const V of_x = load_x(x + r * b.x_row + k);
      for (int i = 0; i < kOfW; ++i) sum[r][i] = hn::MulAdd(of_w[i], of_x, sum[r][i]);
    }
  };
  std::int64_t k = 0;
  for (; k + full <= b.inner; k += full) {
    add(
        k,
        [&](const T* at) HWY_ATTR {
          hwy::Prefetch(at + ahead);
          return widened(at);
        },
        [&](const float* at) HWY_ATTR { return hn::LoadU(d, at); });
  }
  if (const std::int64_t left = b.inner - k; left > 0) {
    const auto load = [&](const auto* at) HWY_ATTR { return widened(at, left); };
    add(k, load, load);
  }
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < kOfW; ++i) {
      b.y[(m + r) * kBlockColumns + n + i] = hn::GetLane(hn::SumOfLanes(d, sum[r][i]));
    }
  }
}

template <typename T>
void multiply_rows_of(const FewRows<T>& b) {
  std::int64_t n = 0;
  for (; n + kTogether <= b.count; n += kTogether) {
    const std::int64_t ahead = n + 2 * kTogether <= b.count ? kTogether * b.w_row : 0;
    for_groups(b.rows, [&](std::int64_t m, auto rows)
                           HWY_ATTR { dot_rows<rows, kTogether>(b, m, n, m == 0 ? ahead : 0); });
  }
  for (; n < b.count; ++n) {
    for_groups(b.rows, [&](std::int64_t m, auto rows) HWY_ATTR { dot_rows<rows, 1>(b, m, n, 0); });
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
