#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/lanes.h"
#include "core/base/error.h"

namespace ty {

namespace {

// Numbers that came from data must not become addresses: throws ShapeError unless each is in
// [low, high).
void check_indices(const View& indices, std::int64_t low, std::int64_t high, const char* what) {
  for (std::int64_t n = 0; n < indices.shape[0]; ++n) {
    const std::int64_t index = indices.as<std::int32_t>()[n * indices.strides[0]];
    if (index < low || index >= high) {
      throw ShapeError("{}: id {} at position {}, but there are {} rows; ids must be below that",
                       what, index, n, high);
    }
  }
}

// Where an operand of `size` rows has the n-th id, -1 if another slice has it.
std::int64_t row_of(const View& ids, std::int64_t n, std::int64_t size, VocabularySlice slice) {
  const std::int64_t row = ids.as<std::int32_t>()[n * ids.strides[0]] - slice.first;
  return row >= 0 && row < size ? row : -1;
}

}  // namespace

void CpuBackend::gather_rows(const View& y, const View& table, const View& ids,
                             VocabularySlice slice) {
  const std::int64_t width = y.shape[1];
  const std::size_t size = size_of(y.dtype);
  const bool dense =
      y.dtype == table.dtype && (width == 1 || (y.strides[1] == 1 && table.strides[1] == 1));
  check_indices(ids, 0, slice.ids(table.shape[0]), "gather_rows");
#pragma omp parallel for schedule(static)
  for (std::int64_t n = 0; n < ids.shape[0]; ++n) {
    const View to = y[n];
    const std::int64_t row = row_of(ids, n, table.shape[0], slice);
    if (row < 0) {
      reference_.fill(to, 0.0);
      continue;
    }
    const View from = table[row];
    if (dense) {
      std::memcpy(to.data, from.data, static_cast<std::size_t>(width) * size);
    } else {
      reference_.copy(to, from);
    }
  }
}

void CpuBackend::scatter_add_rows(const View& table, const View& dy, const View& ids,
                                  VocabularySlice slice) {
  check_indices(ids, 0, slice.ids(table.shape[0]), "scatter_add_rows");
  // Threads share columns, so that rows of one id are added in the order of n.
  constexpr std::int64_t kColumns = 64;
  const std::int64_t width = table.shape[1];
  const std::int64_t strips = (width + kColumns - 1) / kColumns;
#pragma omp parallel for schedule(static)
  for (std::int64_t strip = 0; strip < strips; ++strip) {
    const std::int64_t first = strip * kColumns;
    const std::int64_t count = std::min(kColumns, width - first);
    for (std::int64_t n = 0; n < ids.shape[0]; ++n) {
      const std::int64_t at = row_of(ids, n, table.shape[0], slice);
      if (at < 0) continue;
      const View row = table[at].slice(0, first, count);
      const View add = dy[n].slice(0, first, count);
      if (row.dtype == DType::f32 && add.dtype == DType::f32 && row.strides[0] == 1 &&
          add.strides[0] == 1) {
        spans::axpby(row.as<float>(), 1.0f, add.as<float>(), 1.0f, count);
      } else {
        axpby(row, 1.0, add, 1.0);
      }
    }
  }
}

void CpuBackend::cross_entropy(const View& loss, const View& lse, const View& logits,
                               const View& targets, VocabularySlice slice,
                               const CrossEntropyTerms& terms) {
  const std::int64_t vocab = logits.shape[1];
  check_indices(targets, std::numeric_limits<std::int32_t>::min(), slice.ids(vocab),
                "cross_entropy");
  if (logits.dtype == DType::f64)
    return reference_.cross_entropy(loss, lse, logits, targets, slice, terms);
  const auto e = static_cast<float>(terms.label_smoothing);
  const auto z = static_cast<float>(terms.z_loss);
  const double share = terms.label_smoothing / static_cast<double>(slice.ids(vocab));
  dispatch_float(logits.dtype, "cross_entropy", [&](auto t) {
    using T = decltype(t);
    if constexpr (!std::is_same_v<T, double>) {
#pragma omp parallel for schedule(static) if (logits.shape[0] > 1)
      for (std::int64_t n = 0; n < logits.shape[0]; ++n) {
        const T* row = logits.as<T>() + n * logits.strides[0];
        float top = -INFINITY, sum = 0;
        double flat = 0;  // the sum of the logits, where it is wanted
        if constexpr (std::is_same_v<T, float>) {
          top = spans::max(row, vocab);
          sum = spans::sum_exp_shifted(row, top, vocab);
          if (e > 0) flat = spans::sum(row, vocab);
        } else {  // a running maximum over chunks
          std::array<float, cpu::kLanes> chunk;
          for (std::int64_t first = 0; first < vocab; first += cpu::kLanes) {
            const std::int64_t count = std::min(cpu::kLanes, vocab - first);
            spans::to_float(chunk.data(), row + first, count);
            const float next = std::max(top, spans::max(chunk.data(), count));
            sum = sum * std::exp(top - next) + spans::sum_exp_shifted(chunk.data(), next, count);
            top = next;
            if (e > 0) flat += spans::sum(chunk.data(), count);
          }
        }
        const float log_sum = std::log(sum), total = top + log_sum;
        const std::int32_t target = targets.as<std::int32_t>()[n * targets.strides[0]];
        lse.as<float>()[n * lse.strides[0]] = total;
        const std::int64_t own = row_of(targets, n, vocab, slice);
        float wanted = own < 0 ? 0.0f : static_cast<float>(row[own]);
        if (e > 0) wanted = (1.0f - e) * wanted + static_cast<float>(share * flat);
        float value = log_sum + (top - wanted);
        if (z > 0) value += z * total * total;
        loss.as<float>()[n * loss.strides[0]] = target < 0 ? 0.0f : value;
      }
    }
  });
}

void CpuBackend::cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                    const View& targets, const View& dloss, VocabularySlice slice,
                                    const CrossEntropyTerms& terms) {
  const std::int64_t vocab = logits.shape[1];
  check_indices(targets, std::numeric_limits<std::int32_t>::min(), slice.ids(vocab),
                "cross_entropy");
  if (logits.dtype == DType::f64) {
    return reference_.cross_entropy_grad(dlogits, logits, lse, targets, dloss, slice, terms);
  }
  const auto z = static_cast<float>(terms.z_loss);
  const auto share =
      static_cast<float>(terms.label_smoothing / static_cast<double>(slice.ids(vocab)));
  const float wanted = 1.0f - static_cast<float>(terms.label_smoothing) + share;
  dispatch_float(logits.dtype, "cross_entropy_grad", [&](auto t) {
    using T = decltype(t);
    if constexpr (!std::is_same_v<T, double>) {
#pragma omp parallel for schedule(static) if (logits.shape[0] > 1)
      for (std::int64_t n = 0; n < logits.shape[0]; ++n) {
        const T* row = logits.as<T>() + n * logits.strides[0];
        T* out = dlogits.as<T>() + n * dlogits.strides[0];
        if (targets.as<std::int32_t>()[n * targets.strides[0]] < 0) {
          std::fill_n(out, vocab, T(0.0f));
          continue;
        }
        const float weight = dloss.as<float>()[n * dloss.strides[0]];
        const float total = lse.as<float>()[n * lse.strides[0]];
        const float scale = z > 0 ? 1.0f + 2.0f * z * total : 1.0f;  // of the probabilities
        const std::int64_t own = row_of(targets, n, vocab, slice);
        const float logit =
            own < 0 ? 0.0f : static_cast<float>(row[own]);  // before it is overwritten
        cpu::with_floats(
            out, vocab,
            [&](float* o, std::int64_t k, const float* x) {
              spans::scaled_exp(o, x, total, weight * scale, k);
              if (share > 0) {
                for (std::int64_t i = 0; i < k; ++i) o[i] -= weight * share;
              }
            },
            row);
        if (own >= 0) out[own] = T(weight * (scale * std::exp(logit - total) - wanted));
      }
    }
  });
}

}  // namespace ty
