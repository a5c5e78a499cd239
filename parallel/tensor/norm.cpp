#include "parallel/tensor/norm.h"

#include "core/autograd/replay.h"
#include "core/base/error.h"
#include "core/ops/norm.h"

namespace ty {

namespace {

// Statistics of rows, [2, N, 1]: mean, and 1 / sqrt(variance + eps).
View mean_of(const Tensor& statistics) { return statistics.view()[0]; }
View rstd_of(const Tensor& statistics) { return statistics.view()[1]; }

// A part of a row with mean m and deviation s counts as the two numbers m - s and m + s: all ranks'
// have the mean and the variance of the whole row, as every part has as many columns (Chan, Golub
// and LeVeque, The American Statistician 37(3), 1983). So the kernel for rows does all of it.
Tensor statistics_of(const Tensor& x, double eps, const Group& ranks) {
  Backend& backend = x.backend();
  const DType wide = accumulator_of(x.dtype());
  const std::int64_t rows = x.dim(0), n = ranks.size();
  // Keeps the deviation of equal numbers finite, and far below what eps lets through.
  constexpr double kTiny = 1e-30;
  const auto normalised = [&](const Tensor& of, double epsilon, const Tensor& mean,
                              const Tensor& rstd) {
    const Tensor unused = Tensor::empty_like(of);
    const Tensor one = Tensor::full(backend, {of.dim(1)}, of.dtype(), 1.0);
    backend.layer_norm(unused.view(), mean.view(), rstd.view(), of.view(), one.view(), one.view(),
                       epsilon);
  };
  const Tensor mean = Tensor::empty(backend, {rows}, wide);
  const Tensor deviation = Tensor::empty(backend, {rows}, wide);
  normalised(x, kTiny, mean, deviation);
  const Tensor one = Tensor::full(backend, {1}, wide, 1.0);
  backend.binary(BinaryOp::div, deviation.view(), one.view(), deviation.view());
  const Tensor own = Tensor::empty(backend, {2, rows}, wide);
  backend.binary(BinaryOp::sub, own.view()[0], mean.view(), deviation.view());
  backend.binary(BinaryOp::add, own.view()[1], mean.view(), deviation.view());
  const Tensor all = Tensor::empty(backend, {2 * n, rows}, wide);
  ranks.all_gather(all.view(), own.view()).wait();
  const Tensor by_row = all.alias(all.view().transpose(0, 1)).contiguous();
  normalised(by_row, eps, mean, deviation);
  const Tensor statistics = Tensor::empty(backend, {2, rows, 1}, wide);
  backend.copy(mean_of(statistics).reshape({rows}), mean.view());
  backend.copy(rstd_of(statistics).reshape({rows}), deviation.view());
  return statistics;
}

// x in the accumulator type, where it may be written over.
Tensor widened(const Tensor& x) {
  const Tensor y = Tensor::empty(x.backend(), x.shape(), accumulator_of(x.dtype()));
  x.backend().copy(y.view(), x.view());
  return y;
}

// (x - mean) rstd, wide.
Tensor units_of(const Tensor& x, const Tensor& statistics) {
  const Tensor y = widened(x);
  Backend& backend = x.backend();
  backend.binary(BinaryOp::sub, y.view(), y.view(), mean_of(statistics));
  backend.binary(BinaryOp::mul, y.view(), y.view(), rstd_of(statistics));
  return y;
}

// With u = (x - mean) rstd and g = dy gamma, over all n C columns of a row:
//   dx = rstd (g - mean(g) - u mean(g u))
Grads gradients_of(const Tensor& given, const Tensor& x, const Tensor& statistics,
                   const Tensor& gamma, const Group& ranks) {
  Backend& backend = given.backend();
  const Tensor dy = given.alias(given.view().reshape(x.shape()));
  const Tensor u = units_of(x, statistics), g = widened(dy);
  const Shape columns = {1, x.dim(1)}, rows = {x.dim(0), 1};
  const DType wide = u.dtype();
  const auto gradient_of = [&](const Tensor& sum) {
    const Tensor result = Tensor::empty_like(gamma);
    backend.copy(result.view(), sum.view().reshape({columns[1]}));
    return result;
  };
  const Tensor sum = Tensor::empty(backend, columns, wide), product = Tensor::empty_like(u);
  backend.reduce_sum(sum.view(), g.view(), 0.0);
  const Tensor dbeta = gradient_of(sum);
  backend.binary(BinaryOp::mul, product.view(), g.view(), u.view());
  backend.reduce_sum(sum.view(), product.view(), 0.0);
  const Tensor dgamma = gradient_of(sum);

  const Tensor scale = widened(gamma);
  backend.binary(BinaryOp::mul, g.view(), g.view(), scale.view());
  backend.binary(BinaryOp::mul, product.view(), product.view(), scale.view());
  const Tensor sums = Tensor::empty(backend, {2, rows[0], 1}, wide);
  backend.reduce_sum(sums.view()[0], g.view(), 0.0);
  backend.reduce_sum(sums.view()[1], product.view(), 0.0);
  ranks.all_reduce(sums.view(), ReduceOp::sum).wait();
  const double share = 1.0 / static_cast<double>(ranks.size() * columns[1]);
  backend.axpby(sums.view(), share, sums.view(), 0.0);
  backend.binary(BinaryOp::mul, u.view(), u.view(), sums.view()[1]);
  backend.binary(BinaryOp::sub, g.view(), g.view(), u.view());
  backend.binary(BinaryOp::sub, g.view(), g.view(), sums.view()[0]);
  backend.binary(BinaryOp::mul, g.view(), g.view(), rstd_of(statistics));
  const Tensor dx = Tensor::empty_like(given);
  backend.copy(dx.view().reshape(x.shape()), g.view());
  return {dx, dgamma, dbeta};
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double eps,
                  const Group& ranks) {
  if (ranks.size() == 1) return layer_norm(x, gamma, beta, eps);
  const std::int64_t width = x.rank() > 0 ? x.dim(-1) : 0;
  if (gamma.shape() != Shape{width} || beta.shape() != Shape{width}) {
    throw ShapeError("layer_norm: x {} wants gamma and beta [{}], got {} and {}", x.shape().str(),
                     width, gamma.shape().str(), beta.shape().str());
  }
  Backend& backend = x.backend();
  const Shape rows = {x.numel() / std::max<std::int64_t>(width, 1), width};
  const auto shaped = [](const Tensor& t, const Shape& shape) {
    return t.alias(t.view().reshape(shape));
  };
  const Tensor input = shaped(x.contiguous(), rows);
  const Tensor statistics = once([&] { return statistics_of(input, eps, ranks); });
  const Tensor units = units_of(input, statistics);
  backend.binary(BinaryOp::mul, units.view(), units.view(), widened(gamma).view());
  backend.binary(BinaryOp::add, units.view(), units.view(), widened(beta).view());
  const Tensor y = Tensor::empty(backend, x.shape(), x.dtype());
  backend.copy(shaped(y, rows).view(), units.view());
  return record("layer_norm_of_columns", y, {x, gamma, beta},
                [=, x = saved(input), statistics = saved(statistics), gamma = saved(gamma)](
                    const Tensor& dy) { return gradients_of(dy, *x, *statistics, *gamma, ranks); });
}

}  // namespace ty
