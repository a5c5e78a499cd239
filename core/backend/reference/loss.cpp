#include <algorithm>
#include <cmath>
#include <limits>

#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"

namespace ty {

using reference::load_any;
using reference::store_any;

void ReferenceBackend::gather_rows(const View& y, const View& table, const View& ids) {
  for (std::int64_t n = 0; n < ids.shape[0]; ++n) {
    copy(y[n], table[ids.as<std::int32_t>()[n * ids.strides[0]]]);
  }
}

void ReferenceBackend::scatter_add_rows(const View& table, const View& dy, const View& ids) {
  for (std::int64_t n = 0; n < ids.shape[0]; ++n) {
    axpby(table[ids.as<std::int32_t>()[n * ids.strides[0]]], 1.0, dy[n], 1.0);
  }
}

void ReferenceBackend::cross_entropy(const View& loss, const View& lse, const View& logits,
                                     const View& targets) {
  for (std::int64_t n = 0; n < logits.shape[0]; ++n) {
    const View row = logits[n];
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::int64_t v = 0; v < row.shape[0]; ++v)
      top = std::max(top, load_any(row, v * row.strides[0]));
    for (std::int64_t v = 0; v < row.shape[0]; ++v)
      sum += std::exp(load_any(row, v * row.strides[0]) - top);
    const double total = top + std::log(sum);
    const std::int32_t target = targets.as<std::int32_t>()[n * targets.strides[0]];
    store_any(lse, n * lse.strides[0], total);
    store_any(loss, n * loss.strides[0],
              target < 0 ? 0.0 : total - load_any(row, target * row.strides[0]));
  }
}

void ReferenceBackend::cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                          const View& targets, const View& dloss) {
  for (std::int64_t n = 0; n < logits.shape[0]; ++n) {
    const std::int32_t target = targets.as<std::int32_t>()[n * targets.strides[0]];
    const double weight = target < 0 ? 0.0 : load_any(dloss, n * dloss.strides[0]);
    const double total = load_any(lse, n * lse.strides[0]);
    for (std::int64_t v = 0; v < logits.shape[1]; ++v) {
      const double p = std::exp(load_any(logits[n], v * logits.strides[1]) - total);
      store_any(dlogits[n], v * dlogits.strides[1],
                weight == 0.0 ? 0.0 : weight * (p - (v == target ? 1.0 : 0.0)));
    }
  }
}

}  // namespace ty
