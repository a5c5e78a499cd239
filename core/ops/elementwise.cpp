#include "core/ops/elementwise.h"

#include "core/base/error.h"

namespace ty {

namespace {

Tensor binary(BinaryOp op, const char* name, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) {
    throw ShapeError("{}: dtypes differ: {} and {}", name, name_of(a.dtype()), name_of(b.dtype()));
  }
  Tensor y = Tensor::empty(a.backend(), broadcast_shape(a.shape(), b.shape(), name), a.dtype());
  a.backend().binary(op, y.view(), a.view(), b.view());
  return y;
}

}  // namespace

Tensor reduce_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x.detach();
  Shape padded = shape;
  while (padded.rank() < x.rank()) padded.insert(0, 1);
  Tensor y = Tensor::empty(x.backend(), padded, x.dtype());
  x.backend().reduce_sum(y.view(), x.view(), 0.0);
  return y.alias(contiguous_view(y.view().data, y.dtype(), shape));
}

Tensor reuse_or_empty(const Tensor& x) {
  return x.is_sole_owner() && x.view().is_contiguous() ? x.detach() : Tensor::empty_like(x);
}

Tensor add(const Tensor& a, const Tensor& b) {
  return record("add", binary(BinaryOp::add, "add", a, b), {a, b},
                [sa = a.shape(), sb = b.shape()](const Tensor& dy) {
                  return Grads{reduce_to(dy, sa), reduce_to(dy, sb)};
                });
}

Tensor sub(const Tensor& a, const Tensor& b) {
  return record("sub", binary(BinaryOp::sub, "sub", a, b), {a, b},
                [sa = a.shape(), sb = b.shape()](const Tensor& dy) {
                  return Grads{reduce_to(dy, sa), reduce_to(scale(dy, -1.0), sb)};
                });
}

Tensor mul(const Tensor& a, const Tensor& b) {
  return record(
      "mul", binary(BinaryOp::mul, "mul", a, b), {a, b},
      [a = saved(a), b = saved(b)](const Tensor& dy) {
        return Grads{reduce_to(mul(dy, *b), a->shape()), reduce_to(mul(dy, *a), b->shape())};
      });
}

Tensor scale(const Tensor& x, double factor) {
  Tensor y = Tensor::empty_like(x);
  x.backend().axpby(y.view(), factor, x.view(), 0.0);
  return record("scale", y, {x}, [factor](const Tensor& dy) { return Grads{scale(dy, factor)}; });
}

Tensor activation(UnaryOp op, const Tensor& x) {
  Tensor y = Tensor::empty_like(x);
  x.backend().unary(op, y.view(), x.view());
  return record("activation", y, {x}, [op, x = saved(x)](const Tensor& dy) {
    Tensor dx = reuse_or_empty(dy);
    dy.backend().unary_grad(op, dx.view(), x->view(), dy.view());
    return Grads{dx};
  });
}

Tensor dropout(const Tensor& x, const DropoutMask& mask) {
  if (mask.p == 0.0) return x;
  Tensor y = Tensor::empty_like(x);
  x.backend().dropout(y.view(), x.view(), mask);
  return record("dropout", y, {x}, [mask](const Tensor& dy) {
    Tensor dx = reuse_or_empty(dy);
    dy.backend().dropout(dx.view(), dy.view(), mask);
    return Grads{dx};
  });
}

Tensor sum(const Tensor& x) {
  return record("sum", reduce_to(x, {1}), {x}, [shape = x.shape()](const Tensor& dy) {
    Tensor dx = Tensor::empty(dy.backend(), shape, dy.dtype());
    dy.backend().copy(dx.view(), dy.view().expand(shape));
    return Grads{dx};
  });
}

}  // namespace ty
