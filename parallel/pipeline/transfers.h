// What a stage receives and sends while it runs a program, without waiting where it need not.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "parallel/comm/communicator.h"
#include "parallel/pipeline/messages.h"
#include "parallel/pipeline/stage.h"

namespace ty {

// The messages that a stage will receive. Of each channel one receive is posted ahead: it may
// arrive while the stage computes.
class Inbox {
 public:
  // All references must outlive this.
  Inbox(const Program& program, const Stage& stage, const Group& pipeline, Backend& backend);

  // Makes progress. False for what is not the next of its channel.
  bool has_arrived(const Message& message);
  // Waits for the next message of a channel, and posts the receive of the one after it.
  Tensors take(const Message& message);

 private:
  struct Channel {
    std::deque<Message> expected;
    Tensors tensors = {};  // of the first of them
    std::vector<Work> works = {};
  };
  void post(Channel& channel);
  Channel& channel_of(const Message& message);

  const PipeShape& shape_;
  const Stage& stage_;
  const Group& pipeline_;
  Backend& backend_;
  std::map<int, Channel> channels_;  // by tag
};

// The messages under way to other stages.
class Outbox {
 public:
  Outbox(const PipeShape& shape, const Group& pipeline) : shape_(shape), pipeline_(pipeline) {}
  void send(const Message& message, Tensors tensors);
  // Makes progress, and forgets what has arrived.
  void tidy();
  void wait();

 private:
  struct Sent {
    Tensors tensors;
    std::vector<Work> works;
  };
  const PipeShape& shape_;
  const Group& pipeline_;
  std::vector<Sent> sent_;
};

}  // namespace ty
