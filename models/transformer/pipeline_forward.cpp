#include "models/transformer/pipeline_forward.h"

#include <utility>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "parallel/pipeline/messages.h"

namespace ty {

Flow forward_through(const Model& model, const Group& pipeline, const ForwardContext& context) {
  const NoGrad no_grad;
  TY_CHECK(model.stages() == pipeline.size(), "a model of {} stages on {} ranks", model.stages(),
           pipeline.size());
  const PipeShape shape = {.stages = model.stages(), .chunks = model.chunks()};
  const Tensor& weight = model.parameters().all().front().value;
  Flow flow;
  for (int chunk = 0; chunk < model.chunks(); ++chunk) {
    const Action action = {Action::Kind::forward, chunk, 0};
    if (const auto message = received_by(action, model.stage(), shape)) {
      const int from = stage_of(message->virtual_stage - 1, shape);
      std::vector<Tensor> tensors;
      for (const Shape& form : model.shapes_entering(
               message->virtual_stage, context.batch.sequences, lengths_in(context.batch))) {
        tensors.push_back(
            Tensor::empty(weight.backend(), form, weight.dtype(), MemoryClass::communication));
        pipeline.receive(tensors.back().view(), from, channel_of(*message, shape)).wait();
      }
      flow = model.flow_into(chunk, tensors);
    }
    flow = model.forward(context, Recompute::none, std::move(flow), chunk);
    if (const auto message = sent_by(action, model.stage(), shape)) {
      const int to = stage_of(message->virtual_stage, shape);
      for (const Tensor& tensor : flow.tensors()) {
        pipeline.send(tensor.contiguous().view(), to, channel_of(*message, shape)).wait();
      }
      flow = {};
    }
  }
  return flow;
}

}  // namespace ty
