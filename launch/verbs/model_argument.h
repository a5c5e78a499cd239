// The model that a verb's first word names.
#pragma once

#include <string_view>

#include "launch/cli/arguments.h"
#include "launch/run/model_path.h"

namespace ty {

// The result of find_model() for the first word of a verb. A warning is printed on stderr; with
// --strict it is a DataError.
Path model_argument(const Arguments& arguments, std::string_view what);
extern const OptionSpec kStrictOption;

}  // namespace ty
