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

// f(z), in the memory of z if it is not wanted any more.
Tensor function_of(const std::optional<UnaryOp>& f, const Tensor& z, bool keeps_z) {
  if (!f) return z;
  const Tensor y = keeps_z ? Tensor::empty_like(z) : z;
  z.backend().unary(*f, y.view(), z.view());
  return y;
}

// What svd_linear() is besides its operands.
struct Way {
  std::optional<UnaryOp> activation;
  WeightLayout layout;
};

// x is there if a factor is trained, or f has to be made again.
Grads gradients_of(const SavedTensor& x, const SavedTensor& a, const SavedTensor& b, const Way& way,
                   bool wants_db, bool has_bias, const Tensor& dy) {
  Backend& backend = dy.backend();
  const WeightLayout layout = way.layout;
  const View ab = factor(a->view(), layout), bb = factor(b->view(), layout);
  Tensor z;  // [N, r]: x a, and after the function
  const Tensor dz = product(dy.view().as_rows(), bb.transpose(0, 1), backend);  // [N, r]
  if (wants_db || way.activation) z = product(x->view().as_rows(), ab, backend);
  if (way.activation) {
    const Tensor after = function_of(way.activation, z, true);
    backend.unary_grad(*way.activation, dz.view(), z.view(), dz.view());
    z = after;
  }
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
                  std::optional<UnaryOp> activation, WeightLayout layout) {
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
    const Tensor z = function_of(activation, product(input.view().as_rows(), ab, backend), false);
    backend.gemm_bias(made.view().as_rows(), z.view(), bb, bias.defined() ? bias.view() : View{});
    return made;
  });
  std::vector<Tensor> inputs = {x, a, b};
  if (bias.defined()) inputs.push_back(bias);
  const bool wants_db = b.requires_grad(), has_bias = bias.defined();
  const bool reads_x = a.requires_grad() || wants_db || activation.has_value();
  const Way way = {activation, layout};
  return record(
      "svd_linear", y, std::move(inputs),
      [x = reads_x ? saved(input) : SavedTensor(), a = saved(a), b = saved(b), way, wants_db,
       has_bias](const Tensor& dy) { return gradients_of(x, a, b, way, wants_db, has_bias, dy); });
}

}  // namespace ty
