#include "launch/run/model_stage.h"

#include "core/base/error.h"
#include "core/base/even_parts.h"
#include "models/objective/chunked_loss.h"

namespace ty {

ModelStage::ModelStage(const Model& model, const Objective& objective, FlatParameters& parameters,
                       GradientReducer& reducer, const Program& program, const StepContext& context)
    : model_(model),
      objective_(objective),
      parameters_(parameters),
      reducer_(reducer),
      program_(program),
      context_(context) {
  for (const Action& action : program.stages[static_cast<std::size_t>(model.stage())]) {
    if (action.kind == Action::Kind::backward) ++left_[action.chunk];
    if (action.kind == Action::Kind::recompute) {
      replayed_.emplace(action.chunk, action.micro_batch);
    }
  }
}

Range ModelStage::part(int micro_batch) const {
  return even_part(context_.batch.sequences, micro_batch, program_.shape.micro_batches);
}

std::vector<TensorForm> ModelStage::boundary(int micro_batch) const {
  return {{model_.flow_shape(part(micro_batch).count, context_.batch.at(Column::ids).row[0]),
           parameters_.model().dtype()}};
}

Flow ModelStage::run(const InFlight& one, Flow in, int chunk) const {
  return model_.forward(
      {.batch = one.batch, .training = true, .seed = context_.seed, .step = context_.step},
      context_.recompute, std::move(in), chunk);
}

Tensors ModelStage::forward(int chunk, int micro_batch, Tensors in) {
  InFlight& one = alive_[{chunk, micro_batch}];
  const Range range = part(micro_batch);
  one.batch = upload(parameters_.backend(), context_.batch, range.first, range.count);
  if (!in.empty()) one.in = make_leaf(in.front(), MemoryClass::communication);
  const bool is_last = program_.shape.is_last(model_.stage(), chunk);
  if (!replayed_.contains({chunk, micro_batch})) {
    one.out = run(one, {one.in}, chunk);
    if (is_last) return {};
    return {one.out.hidden.detach().contiguous()};
  }
  Tensors inputs;
  if (one.in.defined()) inputs.push_back(one.in);
  one.replay.emplace(
      [this, &one, chunk](std::span<const Tensor> again) -> std::vector<Tensor> {
        return {run(one, {again.empty() ? Tensor() : again[0]}, chunk).hidden};
      },
      std::move(inputs));
  const Tensor out = std::exchange(one.replay->outputs(), {})[0];
  if (is_last) return {};
  return {out.contiguous()};
}

void ModelStage::recompute(int chunk, int micro_batch) {
  alive_.at({chunk, micro_batch}).replay.value().run();
}

Tensors ModelStage::backward(int chunk, int micro_batch, Tensors gradients) {
  auto node = alive_.extract({chunk, micro_batch});
  TY_CHECK(!node.empty(), "micro-batch {} has not run forward", micro_batch + 1);
  InFlight& one = node.mapped();
  const Tensor in = one.in;
  Tensor gradient = send_back(chunk, micro_batch, one, gradients);
  reducer_.micro_batch_done(micro_batch);
  if (!in.defined()) return {};
  if (!gradient.defined()) gradient = Tensor::full(in.backend(), in.shape(), in.dtype(), 0.0);
  if (gradient.dtype() != in.dtype()) gradient = gradient.to(in.dtype());
  return {gradient.contiguous()};
}

Tensor ModelStage::send_back(int chunk, int micro_batch, InFlight& one, const Tensors& gradients) {
  const bool is_last_one = --left_.at(chunk) == 0;
  BackwardOptions options = reducer_.backward_options(is_last_one);
  options.release_shared = is_last_one;
  if (one.replay) one.replay->run();
  if (program_.shape.is_last(model_.stage(), chunk)) {
    Flow out = one.replay ? Flow{one.replay->recorded()[0]} : std::exchange(one.out, {});
    const Tensor loss = backward_from_loss(model_, objective_, std::move(out), one.batch,
                                           context_.weight(), options);
    reducer_.add_loss(micro_batch, loss);
  } else {
    ty::backward(one.replay ? one.replay->recorded()[0] : one.out.hidden, gradients.front(),
                 options);
  }
  if (one.replay) {
    const Tensors of_inputs = one.replay->input_gradients();
    return of_inputs.empty() ? Tensor() : of_inputs.front();
  }
  return one.in.defined() ? grad_of(one.in) : Tensor();
}

}  // namespace ty
