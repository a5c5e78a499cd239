#include <algorithm>
#include <cmath>
#include <limits>

#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"

namespace ty {

using reference::load_any;
using reference::store_any;

namespace {

std::int64_t id_at(const View& ids, std::int64_t n) {
  return ids.as<std::int32_t>()[n * ids.strides[0]];
}

}  // namespace

void ReferenceBackend::gather_rows(const View& y, const View& table, const View& ids,
                                   VocabularySlice slice) {
  for (std::int64_t n = 0; n < ids.shape[0]; ++n) {
    const std::int64_t row = id_at(ids, n) - slice.first;
    if (row >= 0 && row < table.shape[0]) {
      copy(y[n], table[row]);
    } else {
      fill(y[n], 0.0);
    }
  }
}

void ReferenceBackend::scatter_add_rows(const View& table, const View& dy, const View& ids,
                                        VocabularySlice slice) {
  for (std::int64_t n = 0; n < ids.shape[0]; ++n) {
    const std::int64_t row = id_at(ids, n) - slice.first;
    if (row >= 0 && row < table.shape[0]) axpby(table[row], 1.0, dy[n], 1.0);
  }
}

void ReferenceBackend::cross_entropy(const View& loss, const View& lse, const View& logits,
                                     const View& targets, VocabularySlice slice) {
  for (std::int64_t n = 0; n < logits.shape[0]; ++n) {
    const View row = logits[n];
    double top = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::int64_t v = 0; v < row.shape[0]; ++v)
      top = std::max(top, load_any(row, v * row.strides[0]));
    for (std::int64_t v = 0; v < row.shape[0]; ++v)
      sum += std::exp(load_any(row, v * row.strides[0]) - top);
    const double total = top + std::log(sum);
    const std::int64_t target = id_at(targets, n), own = target - slice.first;
    const bool here = own >= 0 && own < row.shape[0];
    store_any(lse, n * lse.strides[0], total);
    store_any(loss, n * loss.strides[0],
              target < 0 ? 0.0 : total - (here ? load_any(row, own * row.strides[0]) : 0.0));
  }
}

void ReferenceBackend::cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                          const View& targets, const View& dloss,
                                          VocabularySlice slice) {
  for (std::int64_t n = 0; n < logits.shape[0]; ++n) {
    const std::int64_t target = id_at(targets, n);
    const double weight = target < 0 ? 0.0 : load_any(dloss, n * dloss.strides[0]);
    const double total = load_any(lse, n * lse.strides[0]);
    for (std::int64_t v = 0; v < logits.shape[1]; ++v) {
      const double p = std::exp(load_any(logits[n], v * logits.strides[1]) - total);
      store_any(dlogits[n], v * dlogits.strides[1],
                weight == 0.0 ? 0.0 : weight * (p - (v == target - slice.first ? 1.0 : 0.0)));
    }
  }
}

}  // namespace ty
