#include "models/linear/ttm/ttm_function.h"

#include "core/autograd/replay.h"
#include "core/base/error.h"
#include "core/ops/bias.h"
#include "models/linear/ttm/ttm_pass.h"
#include "models/linear/ttm/ttm_weight.h"

namespace ty {

namespace {

void check(const Tensor& x, std::span<const Tensor> cores, const Tensor& bias,
           const TtmLayer& layer) {
  if (x.rank() < 1 || x.dim(-1) != layer.in) {
    throw ShapeError("ttm_linear: x {} does not have {} features", x.shape().str(), layer.in);
  }
  check_bias(bias, layer.out, "ttm_linear");
  if (static_cast<int>(cores.size()) != layer.shape.num_cores()) {
    throw ShapeError("ttm_linear: {} cores for {}", cores.size(), to_string(layer.shape));
  }
  for (int k = 0; k < layer.shape.num_cores(); ++k) {
    const auto wanted = layer.shape.core_shape(k);
    const Shape& got = cores[static_cast<std::size_t>(k)].shape();
    if (got != Shape(std::span<const std::int64_t>(wanted))) {
      throw ShapeError("ttm_linear: core {} is {}, wanted {}", k + 1, got.str(),
                       Shape(std::span<const std::int64_t>(wanted)).str());
    }
  }
}

std::vector<Tensor> tensors_of(const std::vector<SavedTensor>& kept) {
  std::vector<Tensor> result;
  for (const SavedTensor& each : kept) result.push_back(*each);
  return result;
}

std::vector<SavedTensor> all_saved(std::span<const Tensor> tensors) {
  std::vector<SavedTensor> result;
  for (const Tensor& each : tensors) result.push_back(saved(each));
  return result;
}

// What ttm_linear() keeps for backward.
struct Kept {
  SavedTensor x;
  std::vector<SavedTensor> cores;
  TtmLayer layer;
  BackwardPass pass;
  bool wants_dx, has_bias;
};

Grads gradients_of(const Kept& kept, const Tensor& dy) {
  Backend& backend = dy.backend();
  const Tensor dx = kept.wants_dx ? Tensor::empty_like(*kept.x) : Tensor();
  const View dx_rows = kept.wants_dx ? dx.view().as_rows() : View{};
  const std::vector<Tensor> cores = tensors_of(kept.cores);
  std::vector<Gradient> d_cores =
      run_backward(dx_rows, dy.view().as_rows(), kept.x->view().as_rows(), cores, kept.layer,
                   kept.pass, backend);
  Grads grads;
  grads.emplace_back(dx);
  for (Gradient& d_core : d_cores) grads.push_back(std::move(d_core));
  if (kept.has_bias) grads.push_back(bias_gradient(dy));
  return grads;
}

// From the gradient of W [in, out].
Grads weight_gradients(const std::vector<SavedTensor>& kept, int split, const Tensor& d_weight) {
  Backend& backend = d_weight.backend();
  const DType wide = accumulator_of(d_weight.dtype());
  const std::vector<Tensor> cores = tensors_of(kept);
  TtmWeight weight(cores, split, backend, wide);
  Tensor dw = d_weight.dtype() == wide ? d_weight : d_weight.to(wide);
  if (dw.dim(0) < weight.in() || dw.dim(1) < weight.out()) {
    const Tensor padded = Tensor::full(backend, {weight.in(), weight.out()}, wide, 0.0);
    backend.copy(padded.view().slice(0, 0, dw.dim(0)).slice(1, 0, dw.dim(1)), dw.view());
    dw = padded;
  }
  weight.project(0, weight.blocks(), dw.view());
  return weight.gradients();
}

}  // namespace

Tensor ttm_linear(const Tensor& x, std::span<const Tensor> cores, const Tensor& bias,
                  const TtmLayer& layer, const TtmPlan& plan, InReplay result) {
  check(x, cores, bias, layer);
  Backend& backend = x.backend();
  const Tensor input = x.contiguous();
  Shape shape = x.shape();
  shape[-1] = layer.out;
  const auto make = [&] {
    const Tensor made = Tensor::empty(backend, shape, x.dtype());
    run_forward(made.view().as_rows(), input.view().as_rows(), cores, layer, plan.forward, backend);
    add_bias(made, bias);
    return made;
  };
  const Tensor y = result == InReplay::unread ? unread(make) : dear(make);
  std::vector<Tensor> inputs = {x};
  inputs.insert(inputs.end(), cores.begin(), cores.end());
  if (bias.defined()) inputs.push_back(bias);
  Kept kept = {saved(input),  all_saved(cores),  layer,
               plan.backward, x.requires_grad(), bias.defined()};
  return record("ttm_linear", y, std::move(inputs),
                [kept = std::move(kept)](const Tensor& dy) { return gradients_of(kept, dy); });
}

Tensor ttm_weight(std::span<const Tensor> cores, const TtmLayer& layer, int split) {
  Backend& backend = cores[0].backend();
  const DType dtype = cores[0].dtype();
  const TtmWeight weight(cores, split, backend, accumulator_of(dtype));
  const Tensor whole = Tensor::empty(backend, {weight.in(), weight.out()}, dtype);
  weight.build(0, weight.blocks(), whole.view());
  const Tensor w =
      whole.alias(whole.view().slice(0, 0, layer.in).slice(1, 0, layer.out)).contiguous();
  return record("ttm_weight", w, {cores.begin(), cores.end()},
                [kept = all_saved(cores), split](const Tensor& dy) {
                  return weight_gradients(kept, split, dy);
                });
}

}  // namespace ty
