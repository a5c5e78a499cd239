#include "parallel/pipeline/action.h"

#include <fmt/format.h>

namespace ty {

std::string to_string(const Action& action, const PipeShape& shape) {
  constexpr std::string_view kLetters = "FRB";
  const char letter = kLetters[static_cast<std::size_t>(action.kind)];
  if (shape.chunks == 1) return fmt::format("{}{}", letter, action.micro_batch + 1);
  return fmt::format("{}{}.{}", letter, action.chunk + 1, action.micro_batch + 1);
}

}  // namespace ty
