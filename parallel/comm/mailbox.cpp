#include "parallel/comm/mailbox.h"

#include <cstring>

#include "core/base/error.h"

namespace ty {

void Mailbox::put(const Address& address, const View& x) {
  const auto* first = x.as<std::byte>();
  Queue& queue = queues_[address];
  queue.messages[queue.sent++] = {x.dtype, std::vector<std::byte>(first, first + x.bytes())};
}

Mailbox::Ticket Mailbox::post_receive(const Address& address) {
  return {address, queues_[address].posted++};
}

bool Mailbox::has(const Ticket& ticket) const {
  return queues_.at(ticket.address).messages.contains(ticket.number);
}

void Mailbox::take(const Ticket& ticket, const View& x) {
  auto message = queues_.at(ticket.address).messages.extract(ticket.number);
  const auto& [dtype, bytes] = message.mapped();
  if (dtype != x.dtype || bytes.size() != x.bytes()) {
    throw CommError("receive: rank {} sent {} x {}, rank {} wants {} x {}", ticket.address.from,
                    bytes.size() / size_of(dtype), name_of(dtype), ticket.address.to, x.numel(),
                    name_of(x.dtype));
  }
  if (!bytes.empty()) std::memcpy(x.data, bytes.data(), bytes.size());
}

}  // namespace ty
