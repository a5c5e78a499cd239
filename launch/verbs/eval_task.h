// `trainyard eval` of models that answer with a label or a number: scores, and the answers.
#pragma once

#include "core/base/dtype.h"
#include "launch/cli/arguments.h"
#include "launch/process/world.h"
#include "launch/run/shared_model.h"

namespace ty {

// Evaluates a model whose head gives one answer per sequence on the examples of a file
// (task_file.h).
ExitCode evaluate_task(const Arguments& arguments, World& world, const Path& directory,
                       const ModelSpec& spec, DType dtype);

extern const OptionSpec kPredictionsOption;

}  // namespace ty
