// Programs as text: a line per stage, from the first, with the actions in order.
//
//   F1 F2 B1 F3 B2 B3          # stage 1; with chunks F2.3 is micro-batch 3 of chunk 2
//   F1 B1 F2 B2 F3 B3          # stage 2
#pragma once

#include <string>
#include <string_view>

#include "parallel/pipeline/action.h"

namespace ty {

std::string to_text(const Program& program);
// Comments from # on and empty lines do not count. The shape follows from the actions. Throws
// ConfigError that names `place`, line and word, and as validate() does.
Program parse_program(std::string_view text, const std::string& place);

}  // namespace ty
