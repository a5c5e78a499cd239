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
                                     const View& targets, VocabularySlice slice,
                                     const CrossEntropyTerms& terms) {
  const double e = terms.label_smoothing;
  const auto whole = static_cast<double>(slice.ids(logits.shape[1]));
  for (std::int64_t n = 0; n < logits.shape[0]; ++n) {
    const View row = logits[n];
    double top = -std::numeric_limits<double>::infinity(), sum = 0, flat = 0;
    for (std::int64_t v = 0; v < row.shape[0]; ++v)
      top = std::max(top, load_any(row, v * row.strides[0]));
    for (std::int64_t v = 0; v < row.shape[0]; ++v)
      sum += std::exp(load_any(row, v * row.strides[0]) - top);
    for (std::int64_t v = 0; v < row.shape[0] && e > 0; ++v)
      flat += load_any(row, v * row.strides[0]);
    const double total = top + std::log(sum);
    const std::int64_t target = id_at(targets, n), own = target - slice.first;
    const bool here = own >= 0 && own < row.shape[0];
    store_any(lse, n * lse.strides[0], total);
    const double logit = here ? load_any(row, own * row.strides[0]) : 0.0;
    double value = total - (1.0 - e) * logit;
    if (e > 0) value -= e * flat / whole;
    if (terms.z_loss > 0) value += terms.z_loss * total * total;
    store_any(loss, n * loss.strides[0], target < 0 ? 0.0 : value);
  }
}

void ReferenceBackend::cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                          const View& targets, const View& dloss,
                                          VocabularySlice slice, const CrossEntropyTerms& terms) {
  const double e = terms.label_smoothing;
  const double flat = e / static_cast<double>(slice.ids(logits.shape[1]));
  for (std::int64_t n = 0; n < logits.shape[0]; ++n) {
    const std::int64_t target = id_at(targets, n);
    const double weight = target < 0 ? 0.0 : load_any(dloss, n * dloss.strides[0]);
    const double total = load_any(lse, n * lse.strides[0]);
    const double scale = terms.z_loss > 0 ? 1.0 + 2.0 * terms.z_loss * total : 1.0;
    for (std::int64_t v = 0; v < logits.shape[1]; ++v) {
      const double p = scale * std::exp(load_any(logits[n], v * logits.strides[1]) - total);
      const double wanted = (v == target - slice.first ? 1.0 - e : 0.0) + flat;
      store_any(dlogits[n], v * dlogits.strides[1], weight == 0.0 ? 0.0 : weight * (p - wanted));
    }
  }
}

}  // namespace ty
