#include "parallel/pipeline/messages.h"

namespace ty {

namespace {

std::optional<Message> to(Message::Kind kind, int virtual_stage, const Action& action,
                          const PipeShape& shape) {
  if (virtual_stage < 0 || virtual_stage >= shape.virtual_stages()) return std::nullopt;
  return Message{kind, virtual_stage, action.micro_batch};
}

}  // namespace

std::optional<Message> received_by(const Action& action, int stage, const PipeShape& shape) {
  const int own = shape.virtual_stage(stage, action.chunk);
  const bool is_first = own == 0, is_last = own + 1 == shape.virtual_stages();
  if (action.kind == Action::Kind::forward && !is_first) {
    return to(Message::Kind::activation, own, action, shape);
  }
  if (action.kind == Action::Kind::backward && !is_last) {
    return to(Message::Kind::gradient, own, action, shape);
  }
  return std::nullopt;
}

std::optional<Message> sent_by(const Action& action, int stage, const PipeShape& shape) {
  const int own = shape.virtual_stage(stage, action.chunk);
  switch (action.kind) {
    case Action::Kind::forward:
      return to(Message::Kind::activation, own + 1, action, shape);
    case Action::Kind::backward:
      return to(Message::Kind::gradient, own - 1, action, shape);
    case Action::Kind::recompute:
      break;
  }
  return std::nullopt;
}

int stage_of(int virtual_stage, const PipeShape& shape) { return virtual_stage % shape.stages; }

int channel_of(const Message& message, const PipeShape& shape) {
  const bool is_gradient = message.kind == Message::Kind::gradient;
  return message.virtual_stage + (is_gradient ? shape.virtual_stages() : 0);
}

}  // namespace ty
