// What a verb runs a model on, whatever its task is.
#pragma once

#include <memory>

#include "core/data/token_file.h"
#include "launch/cli/arguments.h"
#include "models/transformer/spec.h"

namespace ty {

// Examples, and the tokens that they refer to if they are windows of a text.
struct ModelExamples {
  std::unique_ptr<TokenFile> tokens = nullptr;
  std::unique_ptr<Source> source;
};

// Of a file: windows of `--sequence` tokens (default: the context) for a model that writes texts,
// examples of its task for one that gives one answer per sequence; options and the run around the
// verb's first word say which columns hold what. Throws UsageError for models of another head,
// DataError for files that do not fit.
ModelExamples model_examples(const Arguments& arguments, const Path& directory,
                             const ModelSpec& spec, const Path& file);

}  // namespace ty
