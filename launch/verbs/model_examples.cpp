#include "launch/verbs/model_examples.h"

#include "core/base/error.h"
#include "launch/run/dataset.h"
#include "launch/run/job_inputs.h"
#include "launch/verbs/task_file.h"
#include "models/families/family.h"

namespace ty {

ModelExamples model_examples(const Arguments& arguments, const Path& directory,
                             const ModelSpec& spec, const Path& file) {
  const std::int64_t sequence = arguments.integer("--sequence", spec.context);
  if (sequence > spec.context) {
    throw UsageError("--sequence: got {}; the model's context is {}, want no more", sequence,
                     spec.context);
  }
  if (spec.head.is_pooled()) {
    const TaskFile task =
        task_file(arguments, arguments.word(0, "the run or model directory"), directory, spec);
    return {.source = task_source(task, file, spec, directory, sequence, 1)};
  }
  if (!spec.writes_texts()) {
    throw UsageError(
        "{}: wants a model that writes texts or gives one answer per sequence; this is a {} of "
        "another head",
        directory.string(), family_of(spec).name);
  }
  const auto tokenizer = find_tokenizer(directory);
  ModelExamples examples;
  examples.tokens = std::make_unique<TokenFile>(
      open_tokens(file, tokenizer.get(), text_options(DataSection{}), spec.vocab));
  examples.source = evaluation_windows(*examples.tokens, sequence);
  return examples;
}

}  // namespace ty
