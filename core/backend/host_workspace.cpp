#include "core/backend/host_workspace.h"

#include <algorithm>

#include "core/base/rounding.h"

namespace ty::host_workspace {

namespace {

constexpr std::int64_t kLeastColumns = 64;  // of a product of a few rows
constexpr std::int64_t kPanelElements = std::int64_t{1} << 20;

bool is_narrow(const View& x) { return size_of(x.dtype) == 2; }

std::int64_t wide_size(const View& x) { return x.dtype == DType::f64 ? 8 : 4; }

// All operands in fp32: q, y and their gradients have q's size, k and v k's.
std::int64_t widened(const View& q, const View& k, std::int64_t of_q, std::int64_t of_k) {
  return is_narrow(q) ? 4 * (of_q * q.numel() + of_k * k.numel()) : 0;
}

std::int64_t scores(const View& q, const View& k, int workers) {
  return workers * std::min(kQueryRows, q.shape[2]) * k.shape[2] * wide_size(q);
}

}  // namespace

std::int64_t panel_columns(std::int64_t m, std::int64_t n, std::int64_t k) {
  return std::clamp<std::int64_t>(kPanelElements / std::max(k, m), 1, n);
}

bool has_few_rows(const View& c, const View& a, const View& b) {
  if (c.rank() != 2 || c.shape[0] > kFewRows || c.shape[1] < kLeastColumns) return false;
  if (a.dtype == DType::f64 || (c.dtype != a.dtype && c.dtype != DType::f32)) return false;
  const bool fits = c.strides[1] == 1 && a.strides[1] == 1;
  return fits && (b.strides[1] == 1 || b.strides[0] == 1);
}

std::int64_t gemm(const View& c, const View& a, const View& b, int workers) {
  if (has_few_rows(c, a, b)) return is_narrow(a) ? 4 * a.numel() : 0;
  const bool direct = c.dtype == a.dtype && !is_narrow(a);
  if (direct || c.dtype == DType::f64 || a.dtype == DType::f64 || c.numel() == 0) return 0;
  const std::int64_t m = std::min(c.shape[-2], c.shape[-1]), n = std::max(c.shape[-2], c.shape[-1]);
  const std::int64_t k = a.shape[-1];
  const std::int64_t items = c.numel() / (m * n);
  return std::min<std::int64_t>(items, workers) * 4 * (m * k + (k + m) * panel_columns(m, n, k));
}

std::int64_t attention(const View& q, const View& k, int workers) {
  return widened(q, k, 2, 2) + scores(q, k, workers);
}

std::int64_t attention_grad(const View& q, const View& k, int workers) {
  return widened(q, k, 4, 4) + 2 * scores(q, k, workers);
}

std::int64_t layer_norm(const View& x, int workers) {
  return is_narrow(x) ? (2 + workers) * x.shape[1] * 4 : 0;
}

std::int64_t layer_norm_grad(const View& x, int workers) {
  if (x.dtype == DType::f64) return 0;
  const std::int64_t blocks = std::max<std::int64_t>(1, divided_up(x.shape[0], kSumRows));
  const std::int64_t rows = is_narrow(x) ? (1 + 2 * workers) * x.shape[1] * 4 : 0;
  return blocks * 2 * x.shape[1] * 4 + rows;
}

std::int64_t reduce_sum(const View& y, const View& x) {
  const std::int64_t columns = y.numel();
  if (columns <= 1 || !x.is_contiguous() || !y.is_contiguous()) return 0;
  int split = 0;
  while (split < x.rank() && y.shape[split] == 1) ++split;
  for (int d = split; d < x.rank(); ++d) {
    if (y.shape[d] != x.shape[d]) return 0;
  }
  return (1 + divided_up(x.numel() / columns, kSumRows)) * columns * wide_size(x);
}

}  // namespace ty::host_workspace
