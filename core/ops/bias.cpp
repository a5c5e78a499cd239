#include "core/ops/bias.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"

namespace ty {

void check_bias(const Tensor& bias, std::int64_t width, const char* function) {
  if (bias.defined() && bias.shape() != Shape{width}) {
    throw ShapeError("{}: bias {} does not fit {} outputs", function, bias.shape().str(), width);
  }
}

void add_bias(const Tensor& y, const Tensor& bias) {
  if (!bias.defined()) return;
  const View rows = y.view().as_rows();
  y.backend().binary(BinaryOp::add, rows, rows, bias.view());
}

Tensor biased(Tensor y, const Tensor& bias) {
  if (!bias.defined()) return y;
  check_bias(bias, y.dim(-1), "biased");
  const Tensor sum = reuse_or_empty(y);
  y.backend().binary(BinaryOp::add, sum.view().as_rows(), y.view().as_rows(), bias.view());
  return record("biased", sum, {y, bias}, [](const Tensor& dy) {
    return Grads{dy, bias_gradient(dy)};
  });
}

Gradient bias_gradient(const Tensor& dy) {
  return Gradient([dy](const View& db, double beta) {
    dy.backend().reduce_sum(db.reshape({1, db.numel()}), dy.view().as_rows(), beta);
  });
}

}  // namespace ty
