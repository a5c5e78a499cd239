#include "parallel/comm/mailbox.h"

#include <utility>

#include "core/base/error.h"

namespace ty {

void Mailbox::put(const Address& address, DType dtype, std::vector<std::byte> bytes) {
  Queue& queue = queues_[address];
  queue.messages[queue.sent++] = {dtype, std::move(bytes)};
}

Mailbox::Ticket Mailbox::post_receive(const Address& address) {
  return {address, queues_[address].posted++};
}

bool Mailbox::has(const Ticket& ticket) const {
  return queues_.at(ticket.address).messages.contains(ticket.number);
}

void Mailbox::take(const Ticket& ticket, const View& x, const CommMemory& memory) {
  auto message = queues_.at(ticket.address).messages.extract(ticket.number);
  const auto& [dtype, bytes] = message.mapped();
  if (dtype != x.dtype || bytes.size() != x.bytes()) {
    throw CommError("receive: rank {} sent {} x {}, rank {} wants {} x {}", ticket.address.from,
                    bytes.size() / size_of(dtype), name_of(dtype), ticket.address.to, x.numel(),
                    name_of(x.dtype));
  }
  memory.write(x, bytes.data());
}

}  // namespace ty
