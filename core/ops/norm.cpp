#include "core/ops/norm.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"

namespace ty {

Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double eps) {
  const std::int64_t width = x.rank() > 0 ? x.dim(-1) : 0;
  if (gamma.shape() != Shape{width} || beta.shape() != Shape{width}) {
    throw ShapeError("layer_norm: x {} wants gamma and beta [{}], got {} and {}", x.shape().str(),
                     width, gamma.shape().str(), beta.shape().str());
  }
  Backend& backend = x.backend();
  const DType statistics = accumulator_of(x.dtype());
  const Tensor input = x.contiguous();
  const Shape rows = {x.numel() / std::max<std::int64_t>(width, 1), width};
  const auto as_rows = [rows](const Tensor& t) {
    return contiguous_view(t.view().data, t.dtype(), rows);
  };
  Tensor y = Tensor::empty_like(input);
  const Tensor mean = Tensor::empty(backend, {rows[0]}, statistics);
  const Tensor rstd = Tensor::empty(backend, {rows[0]}, statistics);
  backend.layer_norm(as_rows(y), mean.view(), rstd.view(), as_rows(input), gamma.view(),
                     beta.view(), eps);
  return record("layer_norm", y, {x, gamma, beta},
                [=, x = saved(input), mean = saved(mean), rstd = saved(rstd),
                 gamma = saved(gamma)](const Tensor& dy) {
                  Tensor dx = reuse_or_empty(dy);
                  const Tensor dgamma = Tensor::empty_like(*gamma);
                  const Tensor dbeta = Tensor::empty_like(*gamma);
                  dy.backend().layer_norm_grad(as_rows(dx), dgamma.view(), dbeta.view(),
                                               as_rows(dy), as_rows(*x), mean->view(), rstd->view(),
                                               gamma->view());
                  return Grads{dx, dgamma, dbeta};
                });
}

}  // namespace ty
