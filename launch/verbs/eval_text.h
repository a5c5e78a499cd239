// The part of `eval` for models that write texts: how well they predict one.
#pragma once

#include "launch/cli/arguments.h"
#include "launch/process/world.h"
#include "models/huggingface/model_directory.h"

namespace ty {

// Prints loss, perplexity per token and, where the text is known, bits per byte and perplexity per
// word of the model on the verb's second word. All ranks of the job share the work. Throws
// UsageError for models that predict no text, DataError for files that do not fit the model.
ExitCode evaluate_text(const Arguments& arguments, World& world, const Path& directory,
                       const ModelSpec& spec, DType dtype);

}  // namespace ty
