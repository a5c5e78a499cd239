#include "models/statistics/adapter_importance.h"

#include <algorithm>

namespace ty {

namespace {

Tensor product(Backend& backend, const View& a, const View& b) {
  Tensor c = Tensor::empty(backend, {a.shape[0], b.shape[1]}, a.dtype);
  backend.gemm(c.view(), a, b, {});
  return c;
}

// g of one term as a product of two thin matrices: [dA, A - dA] [in, 2 R] times [B; dB] [2 R, out].
struct ThinGradient {
  Tensor left, right;

  ThinGradient(Backend& backend, const LoraFactors& factors)
      : left(Tensor::empty(backend, {factors.a.dim(0), 2 * factors.a.dim(1)}, factors.a.dtype())),
        right(Tensor::empty(backend, {2 * factors.b.dim(0), factors.b.dim(1)}, factors.b.dtype())) {
    backend.copy(right.view().slice(0, 0, factors.b.dim(0)), factors.b.view());
  }
};

// Of the gradient G = scale x^T dy: dA = G B^T and dB = A^T G, from x A and dy B^T.
struct TermRows {
  View x, dy, x_a, dy_b;
};
void set_gradient(Backend& backend, const ThinGradient& g, const LoraFactors& factors,
                  const TermRows& rows, double scale) {
  const std::int64_t r = factors.a.dim(1);
  const View da = g.left.view().slice(1, 0, r), db = g.right.view().slice(0, r, r);
  backend.gemm(da, rows.x.transpose(0, 1), rows.dy_b, {.alpha = scale});
  backend.gemm(db, rows.x_a.transpose(0, 1), rows.dy, {.alpha = scale});
  if (factors.trained.defined()) backend.binary(BinaryOp::mul, db, db, factors.trained.view());
  backend.binary(BinaryOp::sub, g.left.view().slice(1, r, r), factors.a.view(), da);
}

}  // namespace

void add_adapter_importance(Backend& backend, const ImportanceSums& sums, const View& x,
                            const View& dy, const LoraFactors& factors, const View& whole,
                            std::span<const GradientTerm> terms) {
  const std::int64_t in = x.shape[1], out = dy.shape[1], most = std::min(in, tile_rows(dy));
  const Tensor x_a = product(backend, x, factors.a.view());
  const Tensor dy_b = product(backend, dy, factors.b.view().transpose(0, 1));
  const ThinGradient g(backend, factors);
  const Tensor scratch = Tensor::empty(backend, {most, out}, x.dtype);
  for (const GradientTerm& term : terms) {
    const auto own = [&](const View& all) {
      return all.slice(0, term.rows.first, term.rows.count);
    };
    set_gradient(backend, g, factors, {own(x), own(dy), own(x_a.view()), own(dy_b.view())},
                 term.scale);
    for (std::int64_t first = 0; first < in; first += most) {
      const std::int64_t count = std::min(most, in - first);
      const View tile = scratch.view().slice(0, 0, count);
      backend.gemm(tile, g.left.view().slice(0, first, count), g.right.view(), {});
      backend.binary(BinaryOp::mul, tile, tile, whole.slice(0, first, count));
      backend.binary(BinaryOp::mul, tile, tile, tile);
      backend.reduce_sum(sums.rows.reshape({in, 1}).slice(0, first, count), tile, 1.0);
      backend.reduce_sum(sums.columns.reshape({1, out}), tile, 1.0);
    }
  }
}

}  // namespace ty
