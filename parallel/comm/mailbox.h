// Messages in transit within one process: there is a queue per sender, receiver and tag, and the
// n-th posted receive gets the n-th message, in whatever order they are waited for. Not
// synchronised.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "core/base/view.h"
#include "parallel/comm/memory.h"

namespace ty {

class Mailbox {
 public:
  struct Address {
    int from, to, tag;
    friend auto operator<=>(const Address&, const Address&) = default;
  };
  // Identifies the message that a posted receive will get.
  struct Ticket {
    Address address;
    std::int64_t number;
  };

  void put(const Address& address, DType dtype, std::vector<std::byte> bytes);
  Ticket post_receive(const Address& address);
  bool has(const Ticket& ticket) const;
  // Moves the message into x, which lies in `memory`. Throws CommError if its dtype or count
  // differs from x's.
  void take(const Ticket& ticket, const View& x, const CommMemory& memory);

 private:
  struct Message {
    DType dtype;
    std::vector<std::byte> bytes;
  };
  struct Queue {
    std::map<std::int64_t, Message> messages;  // by number, not yet taken
    std::int64_t sent = 0;
    std::int64_t posted = 0;
  };
  std::map<Address, Queue> queues_;
};

}  // namespace ty
