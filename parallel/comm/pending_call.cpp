#include "parallel/comm/pending_call.h"

#include <fmt/format.h>

namespace ty {

std::string PendingCall::str() const {
  if (count < 0) return fmt::format("{} among {} ranks", call, ranks);
  const std::string with = peer < 0 ? "" : fmt::format(" with rank {}", peer);
  return fmt::format("{} of {} x {}{} among {} ranks", call, count, name_of(dtype), with, ranks);
}

}  // namespace ty
