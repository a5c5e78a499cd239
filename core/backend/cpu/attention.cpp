// Attention by blocks of query rows: scores of a block against all keys it sees stay in cache. Work
// is shared by (batch entry, head), so that every sum has one order.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/backend/cpu/blas.h"
#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/spans.h"
#include "core/backend/formulas.h"
#include "core/backend/host_workspace.h"
#include "core/backend/scratch.h"
#include "core/base/error.h"

namespace ty {

namespace {

using host_workspace::kQueryRows;

// One head of one batch entry: rows of D contiguous numbers.
template <typename T>
struct Head {
  T* data;
  std::int64_t stride;
  T* row(std::int64_t t) const { return data + t * stride; }
  Head(const View& x, std::int64_t b, std::int64_t h)
      : data(x.as<T>() + b * x.strides[0] + h * x.strides[1]), stride(x.strides[2]) {}
};

struct Sizes {
  std::int64_t tq, tk, d;
  bool causal;
  std::int64_t length;  // keys of this batch entry
  // Keys that query rows [.., last] see.
  std::int64_t keys(std::int64_t last) const {
    return causal ? std::clamp<std::int64_t>(last + 1 + tk - tq, 0, length) : length;
  }
};

// Lengths came from data: throws ShapeError unless each is in [0, Tk].
void check_lengths(const View& lengths, std::int64_t keys) {
  if (lengths.data == nullptr) return;
  for (std::int64_t b = 0; b < lengths.shape[0]; ++b) {
    const std::int64_t length = lengths.as<std::int32_t>()[b * lengths.strides[0]];
    if (length < 0 || length > keys) {
      throw ShapeError("attention: length {} of batch entry {}, but there are {} keys", length, b,
                       keys);
    }
  }
}

Sizes sizes_of(const View& q, const View& k, const AttentionOptions& o, std::int64_t b) {
  const std::int64_t length = o.lengths.data == nullptr
                                  ? k.shape[2]
                                  : o.lengths.as<std::int32_t>()[b * o.lengths.strides[0]];
  return {q.shape[2], k.shape[2], q.shape[3], o.causal, length};
}

template <typename T>
T exp_row(T* row, std::int64_t n, T& top) {
  if constexpr (std::is_same_v<T, float>) {
    top = spans::max(row, n);
    return spans::exp_shifted(row, row, top, n);
  } else {
    top = *std::max_element(row, row + n);
    T sum = 0;
    for (std::int64_t j = 0; j < n; ++j) sum += row[j] = std::exp(row[j] - top);
    return sum;
  }
}

template <typename T>
void scale_row(T* row, T factor, std::int64_t n) {
  if constexpr (std::is_same_v<T, float>) {
    spans::axpby(row, factor, row, 0.0f, n);
  } else {
    for (std::int64_t j = 0; j < n; ++j) row[j] *= factor;
  }
}

template <typename T>
void drop_row(T* row, const AttentionOptions& o, std::int64_t b, std::int64_t first,
              std::int64_t n) {
  const DropoutMask::Words words = o.dropout.words_of(b, 0);
  for (std::int64_t j = 0; j < n; ++j)
    row[j] *= formulas::dropout_factor<T>(o.dropout, words, first + j);
}

template <typename T>
void forward_head(Head<T> y, T* lse, Head<T> q, Head<T> k, Head<T> v, const Sizes& s,
                  const AttentionOptions& o, std::int64_t b, std::int64_t h, T* scores) {
  for (std::int64_t first = 0; first < s.tq; first += kQueryRows) {
    const std::int64_t rows = std::min(kQueryRows, s.tq - first);
    const std::int64_t keys = s.keys(first + rows - 1);
    if (keys > 0) {
      cpu::gemm(rows, keys, s.d, static_cast<T>(o.scale), q.row(first), {false, q.stride}, k.data,
                {true, k.stride}, T(0), scores, keys);
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      T* row = scores + i * keys;
      const std::int64_t seen = s.keys(first + i);
      if (seen == 0) {
        lse[first + i] = -std::numeric_limits<T>::infinity();
        std::fill(row, row + keys, T(0));
        std::fill_n(y.row(first + i), s.d, T(0));
        continue;
      }
      T top;
      const T sum = exp_row(row, seen, top);
      lse[first + i] = top + std::log(sum);
      scale_row(row, T(1) / sum, seen);
      std::fill(row + seen, row + keys, T(0));
      if (o.dropout.p > 0)
        drop_row(row, o, b, ((o.first_head + h) * s.tq + first + i) * s.tk, seen);
    }
    if (keys == 0) continue;
    cpu::gemm(rows, s.d, keys, T(1), scores, {false, keys}, v.data, {false, v.stride}, T(0),
              y.row(first), y.stride);
  }
}

template <typename T>
T dot_rows(const T* a, const T* b, std::int64_t n) {
  if constexpr (std::is_same_v<T, float>) {
    return spans::dot(a, b, n);
  } else {
    T sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }
}

template <typename T>
void backward_head(Head<T> dq, Head<T> dk, Head<T> dv, Head<T> dy, Head<T> y, const T* lse,
                   Head<T> q, Head<T> k, Head<T> v, const Sizes& s, const AttentionOptions& o,
                   std::int64_t b, std::int64_t h, T* p, T* ds) {
  for (std::int64_t j = 0; j < s.tk; ++j) {
    std::fill_n(dk.row(j), s.d, T(0));
    std::fill_n(dv.row(j), s.d, T(0));
  }
  for (std::int64_t first = 0; first < s.tq; first += kQueryRows) {
    const std::int64_t rows = std::min(kQueryRows, s.tq - first);
    const std::int64_t keys = s.keys(first + rows - 1);
    if (keys == 0) {
      for (std::int64_t i = 0; i < rows; ++i) std::fill_n(dq.row(first + i), s.d, T(0));
      continue;
    }
    cpu::gemm(rows, keys, s.d, static_cast<T>(o.scale), q.row(first), {false, q.stride}, k.data,
              {true, k.stride}, T(0), p, keys);
    cpu::gemm(rows, keys, s.d, T(1), dy.row(first), {false, dy.stride}, v.data, {true, v.stride},
              T(0), ds, keys);
    for (std::int64_t i = 0; i < rows; ++i) {
      T* prow = p + i * keys;
      T* drow = ds + i * keys;
      const std::int64_t seen = s.keys(first + i);
      const std::int64_t element = ((o.first_head + h) * s.tq + first + i) * s.tk;
      const T delta = dot_rows(dy.row(first + i), y.row(first + i), s.d);
      if (o.dropout.p > 0) drop_row(drow, o, b, element, seen);
      if constexpr (std::is_same_v<T, float>) {
        spans::scaled_exp(prow, prow, lse[first + i], 1.0f, seen);
        spans::softmax_grad(drow, prow, delta, static_cast<float>(o.scale), seen);
      } else {
        for (std::int64_t j = 0; j < seen; ++j) {
          prow[j] = std::exp(prow[j] - lse[first + i]);
          drow[j] = prow[j] * (drow[j] - delta) * static_cast<T>(o.scale);
        }
      }
      if (o.dropout.p > 0) drop_row(prow, o, b, element, seen);
      std::fill(prow + seen, prow + keys, T(0));
      std::fill(drow + seen, drow + keys, T(0));
    }
    cpu::gemm(keys, s.d, rows, T(1), p, {true, keys}, dy.row(first), {false, dy.stride}, T(1),
              dv.data, dv.stride);
    cpu::gemm(rows, s.d, keys, T(1), ds, {false, keys}, k.data, {false, k.stride}, T(0),
              dq.row(first), dq.stride);
    cpu::gemm(keys, s.d, rows, T(1), ds, {true, keys}, q.row(first), {false, q.stride}, T(1),
              dk.data, dk.stride);
  }
}

// A 16-bit operand as fp32 memory of its own, in the operand's order of elements.
class Widened {
 public:
  Widened(CpuBackend& backend, const View& narrow)
      : scratch_(backend.memory(), narrow.numel() * 4),
        view_(contiguous_view(scratch_.as<float>(), DType::f32, narrow.shape)) {}
  const View& view() const { return view_; }

 private:
  Scratch scratch_;
  View view_;
};

}  // namespace

void CpuBackend::attention(const View& y, const View& lse, const View& q, const View& k,
                           const View& v, const AttentionOptions& options) {
  check_lengths(options.lengths, k.shape[2]);
  if (size_of(q.dtype) == 2) {
    const Widened wq(*this, q), wk(*this, k), wv(*this, v), wy(*this, y);
    copy(wq.view(), q);
    copy(wk.view(), k);
    copy(wv.view(), v);
    attention(wy.view(), lse, wq.view(), wk.view(), wv.view(), options);
    return copy(y, wy.view());
  }
  const std::int64_t tq = q.shape[2], heads = q.shape[1], items = q.shape[0] * heads;
  const auto run = [&](auto t) {
    using T = decltype(t);
    const std::int64_t tile = std::min(kQueryRows, tq) * k.shape[2];
    const Scratch scratch(memory_, threads() * tile * static_cast<std::int64_t>(sizeof(T)));
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t i = 0; i < items; ++i) {
      const std::int64_t b = i / heads, h = i % heads;
      forward_head(Head<T>(y, b, h), lse.as<T>() + i * tq, Head<T>(q, b, h), Head<T>(k, b, h),
                   Head<T>(v, b, h), sizes_of(q, k, options, b), options, b, h,
                   scratch.as<T>() + thread() * tile);
    }
  };
  q.dtype == DType::f64 ? run(double{}) : run(float{});
}

void CpuBackend::attention_grad(const View& dq, const View& dk, const View& dv, const View& dy,
                                const View& y, const View& lse, const View& q, const View& k,
                                const View& v, const AttentionOptions& options) {
  check_lengths(options.lengths, k.shape[2]);
  check_lengths(options.lengths, k.shape[2]);
  if (size_of(q.dtype) == 2) {
    const Widened wq(*this, q), wk(*this, k), wv(*this, v), wy(*this, y), wdy(*this, dy),
        wdq(*this, dq), wdk(*this, dk), wdv(*this, dv);
    copy(wq.view(), q);
    copy(wk.view(), k);
    copy(wv.view(), v);
    copy(wy.view(), y);
    copy(wdy.view(), dy);
    attention_grad(wdq.view(), wdk.view(), wdv.view(), wdy.view(), wy.view(), lse, wq.view(),
                   wk.view(), wv.view(), options);
    copy(dq, wdq.view());
    copy(dk, wdk.view());
    return copy(dv, wdv.view());
  }
  const std::int64_t tq = q.shape[2], heads = q.shape[1], items = q.shape[0] * heads;
  const auto run = [&](auto t) {
    using T = decltype(t);
    const std::int64_t tile = std::min(kQueryRows, tq) * k.shape[2];
    const Scratch scratch(memory_, threads() * 2 * tile * static_cast<std::int64_t>(sizeof(T)));
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t i = 0; i < items; ++i) {
      const std::int64_t b = i / heads, h = i % heads;
      T* own = scratch.as<T>() + thread() * 2 * tile;
      backward_head(Head<T>(dq, b, h), Head<T>(dk, b, h), Head<T>(dv, b, h), Head<T>(dy, b, h),
                    Head<T>(y, b, h), static_cast<const T*>(lse.as<T>() + i * tq), Head<T>(q, b, h),
                    Head<T>(k, b, h), Head<T>(v, b, h), sizes_of(q, k, options, b), options, b, h,
                    own, own + tile);
    }
  };
  q.dtype == DType::f64 ? run(double{}) : run(float{});
}

}  // namespace ty
