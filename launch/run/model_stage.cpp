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
      context_(context),
      queue_(dynamic_cast<DeviceQueue*>(&parameters.backend())) {
  for (const Action& action : program.stages[static_cast<std::size_t>(model.stage())]) {
    if (action.kind == Action::Kind::backward) ++left_[action.chunk];
    if (action.kind == Action::Kind::recompute) {
      replayed_.emplace(action.chunk, action.micro_batch);
    }
  }
}

Range ModelStage::part(int micro_batch) const {
  const std::int64_t copies = context_.batch.copies;
  const Range examples =
      even_part(context_.batch.sequences / copies, micro_batch, program_.shape.micro_batches);
  return {examples.first * copies, examples.count * copies};
}

std::vector<TensorForm> ModelStage::boundary(int virtual_stage, int micro_batch) const {
  std::vector<TensorForm> forms;
  for (const Shape& shape :
       model_.shapes_entering(virtual_stage, part(micro_batch).count, lengths_in(context_.batch))) {
    forms.push_back({shape, parameters_.model().dtype()});
  }
  return forms;
}

namespace {

// To another stage.
Tensors sent(const Tensors& flow) {
  Tensors all;
  for (const Tensor& tensor : flow) all.push_back(tensor.detach().contiguous());
  return all;
}

// Gradients of what came in, as they are sent: zeros where nothing came back.
Tensor gradient_to_send(const Tensor& gradient, const Tensor& in) {
  if (!gradient.defined()) return Tensor::full(in.backend(), in.shape(), in.dtype(), 0.0);
  return (gradient.dtype() == in.dtype() ? gradient : gradient.to(in.dtype())).contiguous();
}

// Of a graph.
std::string kind_of(const char* pass, int chunk) { return fmt::format("{} {}", pass, chunk); }

}  // namespace

Flow ModelStage::run(const InFlight& one, Flow in, int chunk) const {
  return model_.forward(
      {.batch = one.batch, .training = true, .seed = context_.seed, .step = context_.step},
      context_.recompute, std::move(in), chunk);
}

Tensors ModelStage::forward(int chunk, int micro_batch, Tensors in) {
  const GraphScope graph(queue_, kind_of("forward", chunk));
  InFlight& one = alive_[{chunk, micro_batch}];
  const Range range = part(micro_batch);
  one.batch = upload(parameters_.backend(), context_.batch, range.first, range.count);
  if (model_.sends_back(chunk)) {
    for (Tensor& tensor : in) tensor = make_leaf(tensor, MemoryClass::communication);
  }
  one.in = model_.flow_into(chunk, in);
  const bool is_last = program_.shape.is_last(model_.stage(), chunk);
  if (!model_.has_backward(chunk)) {
    const InFlight done = std::exchange(one, {});
    return sent(run(done, done.in, chunk).tensors());
  }
  if (!replayed_.contains({chunk, micro_batch})) {
    one.out = run(one, one.in, chunk);
    if (!model_.sends_back(chunk)) one.in = {};
    return is_last ? Tensors() : sent(one.out.tensors());
  }
  one.replay.emplace(
      [this, &one, chunk](std::span<const Tensor> again) {
        return run(one, model_.flow_into(chunk, again), chunk).tensors();
      },
      one.in.tensors());
  const Tensors out = std::exchange(one.replay->outputs(), {});
  return is_last ? Tensors() : sent(out);
}

void ModelStage::recompute(int chunk, int micro_batch) {
  const GraphScope graph(queue_, kind_of("recompute", chunk));
  if (model_.has_backward(chunk)) alive_.at({chunk, micro_batch}).replay.value().run();
}

Tensors ModelStage::backward(int chunk, int micro_batch, Tensors gradients) {
  const GraphScope graph(queue_, kind_of("backward", chunk));
  auto node = alive_.extract({chunk, micro_batch});
  TY_CHECK(!node.empty(), "micro-batch {} has not run forward", micro_batch + 1);
  InFlight& one = node.mapped();
  const Tensors in = one.in.tensors();  // those whose gradient is sent back
  Tensors back;
  if (model_.has_backward(chunk)) back = send_back(chunk, micro_batch, one, gradients);
  reducer_.micro_batch_done(micro_batch);
  if (!model_.sends_back(chunk)) return {};
  back.resize(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) back[i] = gradient_to_send(back[i], in[i]);
  return back;
}

Tensors ModelStage::send_back(int chunk, int micro_batch, InFlight& one, const Tensors& gradients) {
  const bool is_last_one = --left_.at(chunk) == 0;
  BackwardOptions options = reducer_.backward_options(is_last_one);
  options.release_shared = is_last_one;
  if (one.replay) one.replay->run();
  if (program_.shape.is_last(model_.stage(), chunk)) {
    Flow out = one.replay ? Flow::of(one.replay->recorded()) : std::exchange(one.out, {});
    const Tensor loss = backward_from_loss(model_, objective_, std::move(out), one.batch,
                                           context_.weight(), options);
    reducer_.add_loss(micro_batch, loss);
  } else {
    ty::backward(one.replay ? one.replay->recorded() : one.out.tensors(), gradients, options);
  }
  if (one.replay) return one.replay->input_gradients();
  Tensors back;
  for (const Tensor& tensor : one.in.tensors()) {
    back.push_back(tensor.requires_grad() ? grad_of(tensor) : Tensor());
  }
  return back;
}

}  // namespace ty
