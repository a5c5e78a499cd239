// Transposition of small fp32 tiles in registers.
#include "core/backend/cpu/spans.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/backend/cpu/transpose_spans.cpp"
#include <hwy/foreach_target.h>

#include "core/backend/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ty::spans {
namespace HWY_NAMESPACE {

HWY_INLINE void transpose_scalar(float* y, std::int64_t ys, const float* x, std::int64_t xs,
                                 std::int64_t rows, std::int64_t cols) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) y[j * ys + i] = x[i * xs + j];
  }
}

void Transpose(float* y, std::int64_t ys, const float* x, std::int64_t xs, std::int64_t rows,
               std::int64_t cols) {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
  transpose_scalar(y, ys, x, xs, rows, cols);
#else
  // Four by four: pairs of floats first, then pairs of pairs.
  const hn::Full128<float> d;
  const hn::Full128<double> pairs;
  const std::int64_t whole_rows = rows / 4 * 4, whole_cols = cols / 4 * 4;
  for (std::int64_t j = 0; j < whole_cols; j += 4) {
    for (std::int64_t i = 0; i < whole_rows; i += 4) {
      const float* in = x + i * xs + j;
      const auto r0 = hn::LoadU(d, in), r1 = hn::LoadU(d, in + xs);
      const auto r2 = hn::LoadU(d, in + 2 * xs), r3 = hn::LoadU(d, in + 3 * xs);
      const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
      const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
      const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
      const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
      float* out = y + j * ys + i;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, out);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, out + ys);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, out + 2 * ys);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, out + 3 * ys);
    }
  }
  transpose_scalar(y + whole_rows, ys, x + whole_rows * xs, xs, rows - whole_rows, whole_cols);
  transpose_scalar(y + whole_cols * ys, ys, x + whole_cols, xs, rows, cols - whole_cols);
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace ty::spans
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ty::spans {

HWY_EXPORT(Transpose);

void transpose(float* y, std::int64_t ys, const float* x, std::int64_t xs, std::int64_t rows,
               std::int64_t cols) {
  HWY_DYNAMIC_DISPATCH(Transpose)(y, ys, x, xs, rows, cols);
}

}  // namespace ty::spans
#endif
