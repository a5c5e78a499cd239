#include <utility>
#include <vector>

#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"

namespace ty {

namespace {

// Offsets of the elements of some dimensions, row-major.
std::vector<std::int64_t> offsets(const View& x, int first, int end) {
  std::vector<std::int64_t> result = {0};
  for (int d = first; d < end; ++d) {
    std::vector<std::int64_t> longer;
    for (const std::int64_t offset : result) {
      for (std::int64_t i = 0; i < x.shape[d]; ++i) longer.push_back(offset + i * x.strides[d]);
    }
    result = std::move(longer);
  }
  return result;
}

}  // namespace

void ReferenceBackend::contract(const Unfolding& c, const Unfolding& a, const Unfolding& b,
                                double beta) {
  const auto rows = [](const Unfolding& x) { return offsets(x.view, 0, x.row_dims); };
  const auto columns = [](const Unfolding& x) {
    return offsets(x.view, x.row_dims, x.view.rank());
  };
  const auto cm = rows(c), cn = columns(c), am = rows(a), ak = columns(a), bk = rows(b),
             bn = columns(b);
  using reference::load_any;
  for (std::size_t m = 0; m < cm.size(); ++m) {
    for (std::size_t n = 0; n < cn.size(); ++n) {
      double sum = 0;
      for (std::size_t k = 0; k < ak.size(); ++k) {
        sum += load_any(a.view, am[m] + ak[k]) * load_any(b.view, bk[k] + bn[n]);
      }
      const std::int64_t at = cm[m] + cn[n];
      reference::store_any(c.view, at, sum + (beta == 0.0 ? 0.0 : beta * load_any(c.view, at)));
    }
  }
}

void ReferenceBackend::gemm(const View& c, const View& a, const View& b, GemmScale scale) {
  if (c.rank() > 2) {
    const auto item = [&](const View& operand, std::int64_t i) {
      if (operand.rank() < c.rank()) return operand;
      return operand[operand.shape[0] == 1 ? 0 : i];
    };
    for (std::int64_t i = 0; i < c.shape[0]; ++i) gemm(c[i], item(a, i), item(b, i), scale);
    return;
  }
  dispatch_float(a.dtype, "gemm", [&](auto t) {
    using T = decltype(t);
    for (std::int64_t m = 0; m < c.shape[0]; ++m) {
      for (std::int64_t n = 0; n < c.shape[1]; ++n) {
        double sum = 0;
        for (std::int64_t k = 0; k < a.shape[1]; ++k) {
          sum += static_cast<double>(a.as<T>()[m * a.strides[0] + k * a.strides[1]]) *
                 static_cast<double>(b.as<T>()[k * b.strides[0] + n * b.strides[1]]);
        }
        const std::int64_t at = m * c.strides[0] + n * c.strides[1];
        const double before = scale.beta == 0.0 ? 0.0 : scale.beta * reference::load_any(c, at);
        reference::store_any(c, at, scale.alpha * sum + before);
      }
    }
  });
}

}  // namespace ty
