#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/backend/formulas.h"
#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"

namespace ty {

namespace {

using reference::load_any;
using reference::store_any;

double at(const View& x, std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t d) {
  return load_any(x, b * x.strides[0] + h * x.strides[1] + t * x.strides[2] + d * x.strides[3]);
}
void add_at(const View& x, std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t d,
            std::vector<double>& sums, double value) {
  const std::int64_t flat = ((b * x.shape[1] + h) * x.shape[2] + t) * x.shape[3] + d;
  sums[static_cast<std::size_t>(flat)] += value;
}
void store_all(const View& x, const std::vector<double>& sums) {
  reference::for_each<1>(x.shape, {&x}, [&](std::int64_t i, auto& offset) {
    store_any(x, offset[0], sums[static_cast<std::size_t>(i)]);
  });
}

// One row of scores: how many keys the query sees, and its scaled products.
struct Row {
  std::int64_t keys;
  std::vector<double> scores;
};
Row score_row(const View& q, const View& k, std::int64_t b, std::int64_t h, std::int64_t i,
              const AttentionOptions& o) {
  const std::int64_t tk = k.shape[2];
  Row row{o.causal ? std::min(tk, i + 1 + tk - q.shape[2]) : tk, {}};
  if (o.lengths.data != nullptr) {
    row.keys =
        std::min<std::int64_t>(row.keys, o.lengths.as<std::int32_t>()[b * o.lengths.strides[0]]);
  }
  for (std::int64_t j = 0; j < row.keys; ++j) {
    double dot = 0;
    for (std::int64_t d = 0; d < q.shape[3]; ++d) dot += at(q, b, h, i, d) * at(k, b, h, j, d);
    row.scores.push_back(o.scale * dot);
  }
  return row;
}
double dropout_at(const AttentionOptions& o, const View& q, const View& k, std::int64_t b,
                  std::int64_t h, std::int64_t i, std::int64_t j) {
  if (o.dropout.p == 0.0) return 1.0;
  return formulas::dropout_factor<double>(o.dropout, o.dropout.words_of(b, 0),
                                          ((o.first_head + h) * q.shape[2] + i) * k.shape[2] + j);
}

}  // namespace

void ReferenceBackend::attention(const View& y, const View& lse, const View& q, const View& k,
                                 const View& v, const AttentionOptions& o) {
  for (std::int64_t b = 0; b < q.shape[0]; ++b) {
    for (std::int64_t h = 0; h < q.shape[1]; ++h) {
      for (std::int64_t i = 0; i < q.shape[2]; ++i) {
        const Row row = score_row(q, k, b, h, i, o);
        double top = -std::numeric_limits<double>::infinity(), sum = 0;
        for (double s : row.scores) top = std::max(top, s);
        for (double s : row.scores) sum += std::exp(s - top);
        const double total = top + std::log(sum);
        store_any(lse, b * lse.strides[0] + h * lse.strides[1] + i * lse.strides[2], total);
        for (std::int64_t d = 0; d < v.shape[3]; ++d) {
          double out = 0;
          for (std::int64_t j = 0; j < row.keys; ++j) {
            const double p = std::exp(row.scores[static_cast<std::size_t>(j)] - total);
            out += dropout_at(o, q, k, b, h, i, j) * p * at(v, b, h, j, d);
          }
          store_any(y[b][h], i * y.strides[2] + d * y.strides[3], out);
        }
      }
    }
  }
}

void ReferenceBackend::attention_grad(const View& dq, const View& dk, const View& dv,
                                      const View& dy, const View& y, const View& lse, const View& q,
                                      const View& k, const View& v, const AttentionOptions& o) {
  std::vector<double> sq(static_cast<std::size_t>(q.numel()), 0.0);
  std::vector<double> sk(static_cast<std::size_t>(k.numel()), 0.0), sv(sk);
  for (std::int64_t b = 0; b < q.shape[0]; ++b) {
    for (std::int64_t h = 0; h < q.shape[1]; ++h) {
      for (std::int64_t i = 0; i < q.shape[2]; ++i) {
        const Row row = score_row(q, k, b, h, i, o);
        const double total =
            load_any(lse, b * lse.strides[0] + h * lse.strides[1] + i * lse.strides[2]);
        double delta = 0;
        for (std::int64_t d = 0; d < v.shape[3]; ++d)
          delta += at(dy, b, h, i, d) * at(y, b, h, i, d);
        for (std::int64_t j = 0; j < row.keys; ++j) {
          const double p = std::exp(row.scores[static_cast<std::size_t>(j)] - total);
          const double keep = dropout_at(o, q, k, b, h, i, j);
          double dp = 0;
          for (std::int64_t d = 0; d < v.shape[3]; ++d) {
            dp += at(dy, b, h, i, d) * at(v, b, h, j, d);
            add_at(v, b, h, j, d, sv, keep * p * at(dy, b, h, i, d));
          }
          const double ds = p * (keep * dp - delta) * o.scale;
          for (std::int64_t d = 0; d < q.shape[3]; ++d) {
            add_at(q, b, h, i, d, sq, ds * at(k, b, h, j, d));
            add_at(k, b, h, j, d, sk, ds * at(q, b, h, i, d));
          }
        }
      }
    }
  }
  store_all(dq, sq);
  store_all(dk, sk);
  store_all(dv, sv);
}

}  // namespace ty
