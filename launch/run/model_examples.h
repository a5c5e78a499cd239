// Examples that a stored model is run on, in order, whatever its task is.
#pragma once

#include <memory>

#include "core/data/text_source.h"
#include "core/data/token_file.h"
#include "core/data/tokenizer.h"
#include "launch/job/job_config.h"
#include "launch/run/masked_windows.h"
#include "models/transformer/spec.h"

namespace ty {

// Examples, and the tokens that they refer to if they are windows of a text.
struct ModelExamples {
  std::unique_ptr<TokenFile> tokens = nullptr;
  std::unique_ptr<Source> source;
};

struct WindowOptions {
  std::int64_t sequence = 0;  // tokens of each, special ones around them included
  HiddenTokens hidden = {};   // from a model that fills them in
};

// Windows of a text or token file (which wants no tokenizer), for a model that writes texts or
// fills in hidden tokens. Throws UsageError for another model and for windows too short for the
// special tokens around them, and what reading throws.
ModelExamples window_examples(const Path& file, const TextOptions& text, const Tokenizer* tokenizer,
                              const ModelSpec& spec, const WindowOptions& options);

// All of a job's training data, for the model of its task that `directory` holds. Throws as above,
// and UsageError for texts without a tokenizer.
ModelExamples training_data_of(const JobConfig& job, const Path& directory, const ModelSpec& spec);

}  // namespace ty
