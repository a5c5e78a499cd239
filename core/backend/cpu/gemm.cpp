// Strided products on the libraries of blas.h: fp32 and fp64 directly; bf16 and fp16 through fp32
// panels of bounded size.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/backend/cpu/blas.h"
#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/cut_product.h"
#include "core/backend/host_workspace.h"
#include "core/backend/scratch.h"

namespace ty {

namespace {

// From so many results on, Products::fastest leaves a product to the library whole: fixed parts
// cost up to a quarter of its rate (512 x 768 results, two threads), and two to eight threads gave
// the same bits, one thread others. Of fewer results it cuts sums by threads.
constexpr std::int64_t kManyResults = 1 << 17;

// How BLAS sees a matrix view, if it can.
std::optional<cpu::Matrix> as_blas(const View& x) {
  const std::int64_t rows = x.shape[0], cols = x.shape[1];
  if ((x.strides[1] == 1 || cols == 1) && (x.strides[0] >= cols || rows == 1)) {
    return cpu::Matrix{false, rows == 1 ? std::max<std::int64_t>(cols, 1) : x.strides[0]};
  }
  if ((x.strides[0] == 1 || rows == 1) && (x.strides[1] >= rows || cols == 1)) {
    return cpu::Matrix{true, cols == 1 ? std::max<std::int64_t>(rows, 1) : x.strides[1]};
  }
  return std::nullopt;
}

bool is_row_major(const View& c) {
  const auto blas = as_blas(c);
  return blas && !blas->transposed;
}

// Leading dimensions folded into rows, when a is one tall matrix and b is shared.
bool fold(View& c, View& a, View& b) {
  while (c.rank() > 2) {
    const bool shared = b.rank() < c.rank() || b.shape[0] == 1;
    if (!shared || a.rank() != c.rank() || a.shape[0] != c.shape[0]) return false;
    const auto merge = [](View& x) {
      if (x.strides[0] != x.shape[1] * x.strides[1] && x.shape[0] != 1) return false;
      x.shape[1] *= x.shape[0];
      x.shape.erase(0);
      x.strides.erase(0);
      return true;
    };
    View c2 = c, a2 = a;
    if (c.rank() > 3 || !merge(c2) || !merge(a2)) return false;
    c = c2;
    a = a2;
    if (b.rank() > 2) b = b[0];
  }
  return true;
}

// Of fp64, which serves checks, the library never cuts a sum.
cpu::Gemm<double> product_for(double, Products, std::int64_t) { return cpu::gemm; }
cpu::Gemm<float> product_for(float, Products products, std::int64_t results) {
  if (products == Products::fastest && results >= kManyResults) return cpu::gemm;
  return cpu::cut_gemm;
}

template <typename T>
bool blas_gemm(const View& c, const View& a, const View& b, GemmScale s, Products products) {
  if (!is_row_major(c)) {
    const View ct = c.transpose(0, 1);
    if (!is_row_major(ct)) return false;
    return blas_gemm<T>(ct, b.transpose(0, 1), a.transpose(0, 1), s, products);
  }
  const auto la = as_blas(a), lb = as_blas(b), lc = as_blas(c);
  if (!la || !lb) return false;
  product_for(T{}, products, c.numel())(c.shape[0], c.shape[1], a.shape[1], static_cast<T>(s.alpha),
                                        a.as<T>(), *la, b.as<T>(), *lb, static_cast<T>(s.beta),
                                        c.as<T>(), lc->stride);
  return true;
}

// A dense fp32 matrix at `data` of x's shape, with x's order of rows and columns.
View floats_like(const View& x, float* data) {
  if (x.strides[0] >= x.strides[1]) return contiguous_view(data, DType::f32, x.shape);
  return contiguous_view(data, DType::f32, {x.shape[1], x.shape[0]}).transpose(0, 1);
}

}  // namespace

void CpuBackend::gemm(const View& c, const View& a, const View& b, GemmScale scale) {
  View fc = c, fa = a, fb = b;
  if (c.rank() > 2 && !fold(fc, fa, fb)) {
    // One product per item. Small ones share the threads by items, large ones inside each product.
    const auto item = [&](const View& x, std::int64_t i) {
      return x.rank() < c.rank() ? x : x[x.shape[0] == 1 ? 0 : i];
    };
    const std::int64_t work = c.shape[-1] * c.shape[-2] * a.shape[-1];
    const std::int64_t items = c.shape[0];
#pragma omp parallel for schedule(static) if (items > 1 && work < (1 << 22))
    for (std::int64_t i = 0; i < items; ++i) gemm(c[i], item(a, i), item(b, i), scale);
    return;
  }
  const std::int64_t m = fc.shape[0], n = fc.shape[1], k = fa.shape[1];
  if (m == 0 || n == 0) return;
  if (k == 0) return scale.beta == 0.0 ? fill(c, 0.0) : axpby(c, 0.0, c, scale.beta);
  if (host_workspace::has_few_rows(fc, fa, fb)) return gemm_of_few_rows(fc, fa, fb, scale);
  const bool is_f32 = c.dtype == DType::f32 && a.dtype == DType::f32;
  const bool is_f64 = c.dtype == DType::f64 && a.dtype == DType::f64;
  // Threads had better share the sums of these.
  if (is_f32 && scale.alpha == 1.0 && !cpu::WholeProducts::on_this_thread() &&
      is_long_sum(m, n, k)) {
    return contract({fc, 1}, {fa, 1}, {fb, 1}, scale.beta);
  }
  if (is_f32 && blas_gemm<float>(fc, fa, fb, scale, products_)) return;
  if (is_f64 && blas_gemm<double>(fc, fa, fb, scale, products_)) return;
  if (c.dtype == DType::f64 || a.dtype == DType::f64) return reference_.gemm(c, a, b, scale);
  if (m > n) {  // keep the smaller operand whole
    gemm_in_panels(fc.transpose(0, 1), fb.transpose(0, 1), fa.transpose(0, 1), scale);
  } else {
    gemm_in_panels(fc, fa, fb, scale);
  }
}

// The left operand whole in fp32, then panels of columns of b and c.
void CpuBackend::gemm_in_panels(const View& c, const View& a, const View& b, GemmScale scale) {
  const std::int64_t m = c.shape[0], n = c.shape[1], k = a.shape[1];
  const std::int64_t columns = host_workspace::panel_columns(m, n, k);
  const Scratch left(memory_, m * k * 4);
  const Scratch right(memory_, (k + m) * columns * 4);
  const View a32 = floats_like(a, left.as<float>());
  copy(a32, a);
  for (std::int64_t first = 0; first < n; first += columns) {
    const std::int64_t count = std::min(columns, n - first);
    const View source = b.slice(1, first, count), target = c.slice(1, first, count);
    const View b32 = floats_like(source, right.as<float>());
    const View c32 = floats_like(target, right.as<float>() + k * columns);
    copy(b32, source);
    if (scale.beta != 0.0) copy(c32, target);
    blas_gemm<float>(c32, a32, b32, scale, products_);
    copy(target, c32);
  }
}

}  // namespace ty
