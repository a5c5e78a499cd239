// The model that a verb's first word names.
#pragma once

#include <string_view>

#include "launch/cli/arguments.h"
#include "launch/run/model_path.h"
#include "parallel/mesh/mesh.h"

namespace ty {

// The result of find_model() for the first word of a verb. A warning is printed on stderr, if this
// rank `warns`; with --strict it is a DataError.
Path model_argument(const Arguments& arguments, std::string_view what, bool warns = true);
extern const OptionSpec kStrictOption;

// How the ranks of a job share the model that they run.
MeshRequest model_degrees(const Arguments& arguments);
extern const OptionSpec kTensorOption, kPipelineOption;

}  // namespace ty
