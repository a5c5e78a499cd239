#include "launch/run/model_examples.h"

#include "core/base/error.h"
#include "launch/run/dataset.h"
#include "launch/run/task_data.h"
#include "models/families/family.h"

namespace ty {

ModelExamples window_examples(const Path& file, const TextOptions& options,
                              const Tokenizer* tokenizer, const ModelSpec& spec,
                              std::int64_t sequence) {
  if (!spec.writes_texts()) {
    throw UsageError(
        "wants a model that writes texts or gives one answer per sequence; this is a {} of another "
        "head",
        family_of(spec).name);
  }
  ModelExamples examples;
  examples.tokens = std::make_unique<TokenFile>(open_tokens(file, tokenizer, options, spec.vocab));
  examples.source = evaluation_windows(*examples.tokens, sequence);
  return examples;
}

ModelExamples training_data_of(const JobConfig& job, const Path& directory, const ModelSpec& spec) {
  const Path& file = job.data.train;
  if (spec.reads_images()) {
    return {.source = evaluation_images(read_images(file, image_data_of(job.data)),
                                        {.patch = spec.image.patch})};
  }
  auto tokenizer = find_tokenizer(directory);
  if (tokenizer == nullptr) tokenizer = find_tokenizer(job.tokenizer.from);
  if (!spec.head.is_pooled()) {
    return window_examples(file, quietly(text_options(job.data)), tokenizer.get(), spec,
                           job.data.sequence);
  }
  if (tokenizer == nullptr) throw UsageError("{}: the model has no tokenizer", directory.string());
  const ExampleSet set = read_examples(file, example_format(job.data, job.task));
  return {.source = evaluation_examples(
              encode_examples(set, *tokenizer, job.data.sequence),
              example_options(spec, directory, job.task, job.data, *tokenizer, 1))};
}

}  // namespace ty
