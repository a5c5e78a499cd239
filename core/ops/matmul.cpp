#include "core/ops/matmul.h"

#include "core/autograd/replay.h"
#include "core/base/error.h"
#include "core/ops/bias.h"
#include "core/ops/elementwise.h"

namespace ty {

namespace {

Shape batch_of(const Shape& shape) {
  Shape batch = shape;
  batch.erase(batch.rank() - 1);
  batch.erase(batch.rank() - 1);
  return batch;
}

// a b, without recording.
Tensor product(const View& a, const View& b, Backend& backend) {
  Shape shape = broadcast_shape(batch_of(a.shape), batch_of(b.shape), "matmul");
  shape.push_back(a.shape[-2]);
  shape.push_back(b.shape[-1]);
  Tensor y = Tensor::empty(backend, shape, a.dtype);
  backend.gemm(y.view(), a, b, {});
  return y;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  if (a.rank() < 2 || b.rank() < 2 || a.dim(-1) != b.dim(-2)) {
    throw ShapeError("matmul: inner dimensions differ: a {} and b {} ({} vs {})", a.shape().str(),
                     b.shape().str(), a.rank() > 0 ? a.dim(-1) : 0, b.rank() > 1 ? b.dim(-2) : 0);
  }
  if (a.dtype() != b.dtype()) {
    throw ShapeError("matmul: dtypes differ: {} and {}", name_of(a.dtype()), name_of(b.dtype()));
  }
  return record("matmul", product(a.view(), b.view(), a.backend()), {a, b},
                [a = saved(a), b = saved(b)](const Tensor& dy) {
                  Backend& backend = dy.backend();
                  const Tensor da = product(dy.view(), b->view().transpose(-1, -2), backend);
                  const Tensor db = product(a->view().transpose(-1, -2), dy.view(), backend);
                  return Grads{reduce_to(da, a->shape()), reduce_to(db, b->shape())};
                });
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, WeightLayout layout,
              InReplay result, const WeightShards& divided) {
  const bool transposed = layout == WeightLayout::out_in;
  const View w = transposed ? weight.view().transpose(0, 1) : weight.view();  // [in, out]
  if (weight.rank() != 2 || x.rank() < 1 || x.dim(-1) != w.shape[0]) {
    throw ShapeError("linear: x {} does not fit weight {} ({} inputs)", x.shape().str(),
                     weight.shape().str(), weight.rank() == 2 ? w.shape[0] : 0);
  }
  check_bias(bias, w.shape[1], "linear");
  Backend& backend = x.backend();
  const Tensor input = x.contiguous();
  Shape shape = x.shape();
  shape[-1] = w.shape[1];
  const bool along_out = divided.along == WeightShards::Along::out;
  const auto make = [&] {
    Tensor y = Tensor::empty(backend, shape, x.dtype());
    const View y_rows = y.view().as_rows(), x_rows = input.view().as_rows();
    if (divided.shards.empty()) {
      backend.gemm_bias(y_rows, x_rows, w, bias.defined() ? bias.view() : View{});
      return y;
    }
    gemm_in_shards(backend, y_rows, x_rows, w, 0.0,
                   along_out ? ProductDim::columns : ProductDim::inner, divided.shards);
    add_bias(y, bias);
    return y;
  };
  const Tensor y = result == InReplay::unread ? unread(make) : dear(make);
  std::vector<Tensor> inputs = {x, weight};
  if (bias.defined()) inputs.push_back(bias);
  // x is kept for the weight's gradient alone.
  const SavedTensor kept = weight.requires_grad() ? saved(input) : SavedTensor();
  const auto backward_fn = [x = kept, w = saved(weight), transposed, along_out,
                            shards = divided.shards, has_bias = bias.defined()](const Tensor& dy) {
    Grads grads;
    grads.emplace_back([w, dy, transposed, along_out, shards](const View& dx, double beta) {
      const View wt = transposed ? w->view() : w->view().transpose(0, 1);  // [out, in]
      gemm_in_shards(dy.backend(), dx.as_rows(), dy.view().as_rows(), wt, beta,
                     along_out ? ProductDim::inner : ProductDim::columns, shards);
    });
    grads.emplace_back([x, dy, transposed, along_out, shards](const View& dw, double beta) {
      const View target = transposed ? dw.transpose(0, 1) : dw;
      gemm_in_shards(dy.backend(), target, x->view().as_rows().transpose(0, 1), dy.view().as_rows(),
                     beta, along_out ? ProductDim::columns : ProductDim::rows, shards);
    });
    if (has_bias) grads.push_back(bias_gradient(dy));
    return grads;
  };
  return record("linear", y, std::move(inputs), backward_fn);
}

}  // namespace ty
