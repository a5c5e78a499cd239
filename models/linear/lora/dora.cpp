#include "models/linear/lora/dora.h"

#include "core/autograd/graph.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"

namespace ty {

namespace {

// Of columns of zeros, so that they stay zeros.
constexpr double kLeastSquare = 1e-12;

DType wide(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

// x in another type; differentiable.
Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return record("cast", x.to(dtype), {x},
                [from = x.dtype()](const Tensor& dy) { return Grads{dy.to(from)}; });
}

Tensor filled(Backend& backend, const Shape& shape, DType dtype, double value) {
  const Tensor x = Tensor::empty(backend, shape, dtype);
  backend.fill(x.view(), value);
  return x;
}

// 1 / sqrt(x) of positive numbers by Heron's iteration for the root, which halves what is far off
// and squares what is near: enough for numbers from 2^-40 to 2^40.
Tensor inverse_root(const Tensor& x) {
  constexpr int kIterations = 26;
  Backend& backend = x.backend();
  const Tensor ones = filled(backend, x.shape(), x.dtype(), 1.0), y = Tensor::empty_like(x),
               quotient = Tensor::empty_like(x);
  backend.copy(y.view(), ones.view());
  for (int i = 0; i < kIterations; ++i) {
    backend.binary(BinaryOp::div, quotient.view(), x.view(), y.view());
    backend.axpby(y.view(), 0.5, quotient.view(), 0.5);
  }
  backend.binary(BinaryOp::div, y.view(), ones.view(), y.view());
  return record("inverse_root", y, {x}, [y = saved(y)](const Tensor& dy) {
    const NoGrad no_grad;
    return Grads{scale(mul(dy, mul(*y, mul(*y, *y))), -0.5)};
  });
}

// x [n, out] -> the sums of its columns [out].
Tensor column_sums(const Tensor& x) {
  const Tensor ones = filled(x.backend(), {1, x.dim(0)}, x.dtype(), 1.0);
  return reshape(matmul(ones, x), {x.dim(1)});
}

// m [P C / 3] among all columns [C], zeros in others.
Tensor among_all(const Tensor& m, const FusedParts& parts) {
  return column_sums(spread_over_fused(reshape(m, {1, m.dim(0)}), parts));
}

}  // namespace

Tensor column_squares(const Tensor& w) {
  const NoGrad no_grad;
  const Tensor numbers = w.to(wide(w.dtype()));
  return reduce_to(mul(numbers, numbers), {w.dim(1)});
}

Tensor dora_gain(const DoraColumns& columns) {
  const DType dtype = columns.magnitude.dtype(), type = wide(dtype);
  const double s = columns.scale;
  const Tensor turned = cast(columns.turned, type), b = cast(columns.b, type);
  const Tensor inner = matmul(turned, permute(turned, {1, 0}));  // [P r, P r]
  const Tensor slope = add(scale(cast(columns.seen, type), 2 * s), scale(matmul(inner, b), s * s));
  const Tensor least = filled(b.backend(), {1}, type, kLeastSquare);
  const Tensor squares = add(add(columns.squares, least), column_sums(mul(b, slope)));
  const Tensor inverse = inverse_root(squares);
  const Tensor m = cast(columns.magnitude, type);
  if (columns.parts.count() == 0) return cast(mul(m, inverse), dtype);
  const Tensor ones = filled(m.backend(), m.shape(), type, 1.0);
  const Tensor others = sub(filled(m.backend(), {1}, type, 1.0), among_all(ones, columns.parts));
  return cast(add(mul(among_all(m, columns.parts), inverse), others), dtype);
}

}  // namespace ty
