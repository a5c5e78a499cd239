// The part of `eval` for models that fill in hidden tokens: how well they do so in a text.
#pragma once

#include "core/io/file.h"
#include "launch/cli/arguments.h"
#include "launch/process/world.h"
#include "models/transformer/spec.h"

namespace ty {

// Prints the loss of the model on hidden tokens of the verb's second word; how many are hidden, and
// which, is what the run around the model says, so that the loss of its own validation comes out
// again. All ranks of the job share the work. Throws UsageError for windows that cannot be, and
// what reading throws.
ExitCode evaluate_masked(const Arguments& arguments, World& world, const Path& directory,
                         const ModelSpec& spec, DType dtype);

}  // namespace ty
