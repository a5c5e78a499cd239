// What stages send to each other: activations down the chain of virtual stages, gradients up.
//
//   virtual   k-1  -- activation k, m -->  k  -- activation k+1, m -->  k+1
//                  <-- gradient k-1, m --     <-- gradient k, m -------
//
// Between two virtual stages there is one channel each way, in which messages keep their order.
#pragma once

#include <optional>

#include "parallel/pipeline/action.h"

namespace ty {

struct Message {
  enum class Kind : std::uint8_t { activation, gradient };
  Kind kind = Kind::activation;
  int virtual_stage = 0;  // that receives it
  int micro_batch = 0;
  friend bool operator==(const Message&, const Message&) = default;
};

// What an action of a stage needs before it can run; nothing for a recomputation and at the ends
// of the chain.
std::optional<Message> received_by(const Action& action, int stage, const PipeShape& shape);
// What it sends once it has run.
std::optional<Message> sent_by(const Action& action, int stage, const PipeShape& shape);
// The stage that a virtual stage belongs to.
int stage_of(int virtual_stage, const PipeShape& shape);
// The tag of a message's channel: below 2 P v.
int channel_of(const Message& message, const PipeShape& shape);

}  // namespace ty
