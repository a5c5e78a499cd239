#include "launch/verbs/model_examples.h"

#include "core/base/error.h"
#include "launch/run/dataset.h"
#include "launch/verbs/task_file.h"

namespace ty {

ModelExamples model_examples(const Arguments& arguments, const Path& directory,
                             const ModelSpec& spec, const Path& file) {
  const std::int64_t sequence = arguments.integer("--sequence", spec.context);
  if (sequence > spec.context) {
    throw UsageError("--sequence: got {}; the model's context is {}, want no more", sequence,
                     spec.context);
  }
  const Path named = arguments.word(0, "the run or model directory");
  if (spec.head.is_pooled() || spec.answers_texts()) {
    const TaskFile task = task_file(arguments, named, directory, spec);
    return {.source = task_source(task, file, spec, directory, sequence, 1)};
  }
  const auto tokenizer = find_tokenizer(directory);
  return window_examples(file, text_options(DataSection{}), tokenizer.get(), spec,
                         {sequence, hidden_tokens_of(job_around(named, directory))});
}

}  // namespace ty
