#include "models/linear/svd/svd_function.h"

#include "core/autograd/replay.h"
#include "core/base/error.h"
#include "core/ops/bias.h"

namespace ty {

namespace {

// A factor as [in, out] of its own product, however it is stored.
View factor(const View& w, WeightLayout layout) {
  return layout == WeightLayout::in_out ? w : w.transpose(0, 1);
}

Tensor product(const View& a, const View& b, Backend& backend) {
  Tensor y = Tensor::empty(backend, {a.shape[0], b.shape[1]}, a.dtype);
  backend.gemm(y.view(), a, b, {});
  return y;
}

// x is there if a factor is trained.
Grads gradients_of(const SavedTensor& x, const SavedTensor& a, const SavedTensor& b,
                   WeightLayout layout, bool wants_db, bool has_bias, const Tensor& dy) {
  Backend& backend = dy.backend();
  const View ab = factor(a->view(), layout), bb = factor(b->view(), layout);
  Tensor z;  // [N, r]
  if (wants_db) z = product(x->view().as_rows(), ab, backend);
  const Tensor dz = product(dy.view().as_rows(), bb.transpose(0, 1), backend);  // [N, r]
  Grads grads;
  grads.emplace_back([a, dz, layout](const View& dx, double beta) {
    dz.backend().gemm(dx.as_rows(), dz.view(), factor(a->view(), layout).transpose(0, 1),
                      {.beta = beta});
  });
  grads.emplace_back([x, dz, layout](const View& da, double beta) {
    dz.backend().gemm(factor(da, layout), x->view().as_rows().transpose(0, 1), dz.view(),
                      {.beta = beta});
  });
  grads.emplace_back([z, dy, layout](const View& db, double beta) {
    z.backend().gemm(factor(db, layout), z.view().transpose(0, 1), dy.view().as_rows(),
                     {.beta = beta});
  });
  if (has_bias) grads.push_back(bias_gradient(dy));
  return grads;
}

}  // namespace

Tensor svd_linear(const Tensor& x, const Tensor& a, const Tensor& b, const Tensor& bias,
                  WeightLayout layout) {
  const View ab = factor(a.view(), layout), bb = factor(b.view(), layout);
  if (x.rank() < 1 || a.rank() != 2 || b.rank() != 2 || x.dim(-1) != ab.shape[0] ||
      ab.shape[1] != bb.shape[0]) {
    throw ShapeError("svd_linear: x {}, a {} and b {} do not fit", x.shape().str(), ab.shape.str(),
                     bb.shape.str());
  }
  check_bias(bias, bb.shape[1], "svd_linear");
  Backend& backend = x.backend();
  const Tensor input = x.contiguous();
  Shape shape = x.shape();
  shape[-1] = bb.shape[1];
  const Tensor y = dear([&] {
    const Tensor made = Tensor::empty(backend, shape, x.dtype());
    const Tensor z = product(input.view().as_rows(), ab, backend);
    backend.gemm(made.view().as_rows(), z.view(), bb, {});
    add_bias(made, bias);
    return made;
  });
  std::vector<Tensor> inputs = {x, a, b};
  if (bias.defined()) inputs.push_back(bias);
  const bool wants_db = b.requires_grad(), has_bias = bias.defined();
  const SavedTensor kept = a.requires_grad() || wants_db ? saved(input) : SavedTensor();
  return record(
      "svd_linear", y, std::move(inputs),
      [x = kept, a = saved(a), b = saved(b), layout, wants_db, has_bias](const Tensor& dy) {
        return gradients_of(x, a, b, layout, wants_db, has_bias, dy);
      });
}

}  // namespace ty
