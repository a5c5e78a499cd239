#include "parallel/pipeline/transfers.h"

#include <algorithm>

#include "core/base/error.h"

namespace ty {

namespace {

bool all_done(std::vector<Work>& works) {
  return std::all_of(works.begin(), works.end(), [](Work& work) { return work.test(); });
}

}  // namespace

Inbox::Inbox(const Program& program, const Stage& stage, const Group& pipeline, Backend& backend)
    : shape_(program.shape), stage_(stage), pipeline_(pipeline), backend_(backend) {
  const int own = pipeline.rank();
  for (const Action& action : program.stages[static_cast<std::size_t>(own)]) {
    const std::optional<Message> message = received_by(action, own, shape_);
    if (message) channels_[ty::channel_of(*message, shape_)].expected.push_back(*message);
  }
  for (auto& [tag, channel] : channels_) post(channel);
}

void Inbox::post(Channel& channel) {
  channel.tensors.clear();
  channel.works.clear();
  if (channel.expected.empty()) return;
  const Message& message = channel.expected.front();
  const bool is_down = message.kind == Message::Kind::activation;
  if (!is_down && !stage_.takes_gradient(message.virtual_stage / shape_.stages)) return;
  const int from = stage_of(message.virtual_stage + (is_down ? -1 : 1), shape_);
  const int entered = message.virtual_stage + (is_down ? 0 : 1);
  for (const TensorForm& form : stage_.boundary(entered, message.micro_batch)) {
    channel.tensors.push_back(
        Tensor::empty(backend_, form.shape, form.dtype, MemoryClass::communication));
    channel.works.push_back(
        pipeline_.receive(channel.tensors.back().view(), from, ty::channel_of(message, shape_)));
  }
}

Inbox::Channel& Inbox::channel_of(const Message& message) {
  return channels_.at(ty::channel_of(message, shape_));
}

bool Inbox::has_arrived(const Message& message) {
  Channel& channel = channel_of(message);
  return !channel.expected.empty() && channel.expected.front() == message &&
         all_done(channel.works);
}

Tensors Inbox::take(const Message& message) {
  Channel& channel = channel_of(message);
  TY_CHECK(!channel.expected.empty() && channel.expected.front() == message,
           "micro-batch {} is not the next one of channel {}", message.micro_batch + 1,
           ty::channel_of(message, shape_));
  for (Work& work : channel.works) work.wait();
  Tensors tensors = std::move(channel.tensors);
  channel.expected.pop_front();
  post(channel);
  return tensors;
}

void Outbox::send(const Message& message, Tensors tensors) {
  Sent sent = {std::move(tensors), {}};
  for (const Tensor& tensor : sent.tensors) {
    sent.works.push_back(pipeline_.send(tensor.view(), stage_of(message.virtual_stage, shape_),
                                        channel_of(message, shape_)));
  }
  sent_.push_back(std::move(sent));
}

void Outbox::tidy() {
  std::erase_if(sent_, [](Sent& sent) { return all_done(sent.works); });
}

void Outbox::wait() {
  for (Sent& sent : sent_) {
    for (Work& work : sent.works) work.wait();
  }
  sent_.clear();
}

}  // namespace ty
