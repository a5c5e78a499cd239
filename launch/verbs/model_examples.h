// What a verb runs a model on, whatever its task is.
#pragma once

#include "launch/cli/arguments.h"
#include "launch/run/model_examples.h"

namespace ty {

// Of a file: windows of `--sequence` tokens (default: the context) for a model that writes texts or
// fills in hidden tokens, examples of its task for one that gives one answer per sequence or text;
// options and the run around the verb's first word say which columns hold what, and how much is
// hidden. Throws UsageError for models of another head, DataError for files that do not fit.
ModelExamples model_examples(const Arguments& arguments, const Path& directory,
                             const ModelSpec& spec, const Path& file);

}  // namespace ty
