#include "core/backend/cuda/blas/product.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace ty::cuda::blas {

namespace {

struct Layout {
  bool row_major;
  std::int64_t leading;
};

std::optional<Layout> layout_of(const View& x) {
  const std::int64_t rows = x.shape[-2], columns = x.shape[-1];
  const std::int64_t down = x.strides[-2], across = x.strides[-1];
  if ((across == 1 || columns == 1) && (rows == 1 || down >= columns)) {
    return Layout{true, rows == 1 ? std::max<std::int64_t>(columns, 1) : down};
  }
  if ((down == 1 || rows == 1) && (columns == 1 || across >= rows)) {
    return Layout{false, columns == 1 ? std::max<std::int64_t>(rows, 1) : across};
  }
  return std::nullopt;
}

// Leading dimensions of c, with the steps of c, a and b in each, in elements.
struct Batch {
  std::int64_t size;
  std::int64_t steps[3];
};

// From the outermost to the innermost; those that one distance can step through are merged.
std::vector<Batch> batches_of(const View& c, const View& a, const View& b) {
  std::vector<Batch> batches;
  for (int d = 0; d < c.rank() - 2; ++d) {
    if (c.shape[d] == 1) continue;
    const auto step = [&](const View& x) {
      const int own = d - (c.rank() - x.rank());
      return own < 0 || x.shape[own] == 1 ? 0 : x.strides[own];
    };
    const Batch batch{c.shape[d], {step(c), step(a), step(b)}};
    if (!batches.empty()) {
      Batch& outer = batches.back();
      bool fits = true;
      for (int i = 0; i < 3; ++i) fits = fits && outer.steps[i] == batch.size * batch.steps[i];
      if (fits) {
        outer = {outer.size * batch.size, {batch.steps[0], batch.steps[1], batch.steps[2]}};
        continue;
      }
    }
    batches.push_back(batch);
  }
  return batches;
}

std::byte* advance(const void* p, std::int64_t elements, DType dtype) {
  auto* start = static_cast<std::byte*>(const_cast<void*>(p));
  return start + elements * static_cast<std::int64_t>(size_of(dtype));
}

}  // namespace

bool is_matrix(const View& x) { return layout_of(x).has_value(); }

Calls plan_product(const View& c, const View& a, const View& b) {
  const auto lc = layout_of(c), la = layout_of(a), lb = layout_of(b);
  TY_CHECK(lc && la && lb, "product of {} and {} into {}: strides {}, {}, {}", a.shape.str(),
           b.shape.str(), c.shape.str(), a.strides.str(), b.strides.str(), c.strides.str());
  std::vector<Batch> batches = batches_of(c, a, b);
  Batch inner{1, {0, 0, 0}};
  if (!batches.empty()) {  // the largest one becomes the batch of each call
    const auto largest =
        std::max_element(batches.begin(), batches.end(),
                         [](const Batch& x, const Batch& y) { return x.size < y.size; });
    inner = *largest;
    batches.erase(largest);
  }
  // A row-major matrix read column-major is its transpose, and c^T = b^T a^T.
  const bool swap = lc->row_major;
  const auto operand = [&](const Layout& layout, int which) {
    return Matrix{layout.row_major != swap, layout.leading, inner.steps[which]};
  };
  Calls calls;
  Product& p = calls.product;
  p = {.in = a.dtype,
       .out = c.dtype,
       .m = c.shape[-2],
       .n = c.shape[-1],
       .k = a.shape[-1],
       .batch = inner.size,
       .a = operand(*la, 1),
       .b = operand(*lb, 2),
       .c = operand(*lc, 0)};
  if (swap) {
    std::swap(p.m, p.n);
    std::swap(p.a, p.b);
  }
  calls.operands.push_back({a.data, b.data, c.data});
  for (const Batch& batch : batches) {
    std::vector<Operands> longer;
    for (const Operands& at : calls.operands) {
      for (std::int64_t i = 0; i < batch.size; ++i) {
        longer.push_back({advance(at.a, i * batch.steps[1], a.dtype),
                          advance(at.b, i * batch.steps[2], b.dtype),
                          advance(at.c, i * batch.steps[0], c.dtype)});
      }
    }
    calls.operands = std::move(longer);
  }
  if (swap) {
    for (Operands& at : calls.operands) std::swap(at.a, at.b);
  }
  return calls;
}

std::optional<Calls> plan_biased(const View& c, const View& a, const View& b, const View& bias) {
  const bool is_fp32 = c.dtype == DType::f32 && a.dtype == DType::f32 && bias.dtype == DType::f32;
  if (!is_fp32 || c.rank() != 2 || !bias.is_contiguous()) return std::nullopt;
  const auto layout = layout_of(c);
  if (!layout || !layout->row_major) return std::nullopt;
  Calls calls = plan_product(c, a, b);
  calls.product.has_bias = true;
  calls.operands.front().bias = bias.data;
  return calls;
}

}  // namespace ty::cuda::blas
