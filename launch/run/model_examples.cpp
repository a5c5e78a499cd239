#include "launch/run/model_examples.h"

#include "core/base/error.h"
#include "launch/run/dataset.h"
#include "launch/run/task_data.h"
#include "models/families/family.h"

namespace ty {

ModelExamples window_examples(const Path& file, const TextOptions& text, const Tokenizer* tokenizer,
                              const ModelSpec& spec, const WindowOptions& options) {
  if (!spec.writes_texts() && !spec.fills_masks()) {
    throw UsageError("a {} of this head gives neither the next token of a text nor hidden ones",
                     family_of(spec).name);
  }
  const bool masked = spec.fills_masks() && tokenizer != nullptr;
  const Frame frame = masked ? frame_of(*tokenizer) : Frame();
  if (frame.size() >= options.sequence) {
    throw UsageError("windows of {} tokens, {} of them special ones around each; want {} or more",
                     options.sequence, frame.size(), frame.size() + 1);
  }
  ModelExamples examples;
  examples.tokens = std::make_unique<TokenFile>(open_tokens(file, tokenizer, text, spec.vocab));
  examples.source = evaluation_windows(*examples.tokens, options.sequence - frame.size());
  if (spec.fills_masks()) {
    examples.source =
        masked_windows(std::move(examples.source), frame, options.hidden, tokenizer, spec);
  }
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
  if (!spec.head.is_pooled() && !spec.answers_texts()) {
    return window_examples(file, quietly(text_options(job.data)), tokenizer.get(), spec,
                           {job.data.sequence, hidden_tokens_of(job)});
  }
  if (tokenizer == nullptr) throw UsageError("{}: the model has no tokenizer", directory.string());
  const ExampleSet set = read_examples(file, example_format(job.data, job.task));
  return {.source = evaluation_examples(
              encode_examples(set, *tokenizer, job.data.sequence),
              example_options(spec, directory, job.task, job.data, *tokenizer, 1))};
}

}  // namespace ty
