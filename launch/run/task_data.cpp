#include "launch/run/task_data.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/data/encoding.h"
#include "core/metrics/classification.h"
#include "core/metrics/correlation.h"
#include "launch/process/failure.h"
#include "models/huggingface/generation_keys.h"

namespace ty {

namespace {

AnswerKind answer_kind(TaskKind kind) {
  switch (kind) {
    case TaskKind::regression:
      return AnswerKind::value;
    case TaskKind::seq2seq:
      return AnswerKind::target;
    default:
      return AnswerKind::label;
  }
}

std::vector<std::string> numbered(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

}  // namespace

ExampleFormat example_format(const DataSection& data, const TaskSection& task) {
  if (const GlueData* known = find_glue_data(data.dataset)) {
    if (known->format.kind == answer_kind(task.kind)) return known->format;
    throw ConfigError(Key{"data.dataset"}, "{} is for task.kind: {}", data.dataset,
                      known->format.kind == AnswerKind::value ? "regression" : "classification");
  }
  return {.first = data.first,
          .second = data.second,
          .answer = data.answer,
          .kind = answer_kind(task.kind),
          .header = data.header};
}

std::vector<std::string> known_labels(const JobConfig& job) {
  if (const ImageData* images = find_image_data(job.data.dataset)) return numbered(images->labels);
  if (job.task.kind != TaskKind::classification) return {};
  if (find_glue_data(job.data.dataset) != nullptr) {
    return example_format(job.data, job.task).label_names;
  }
  return numbered(job.task.labels);
}

std::vector<std::string> texts_of(const ExampleSet& set) {
  std::vector<std::string> texts;
  for (const TextExample& example : set.examples) {
    texts.push_back(example.first);
    if (example.second) texts.push_back(*example.second);
    if (!example.target.empty()) texts.push_back(example.target);
  }
  return texts;
}

std::vector<TokenExample> encode_examples(const ExampleSet& set, const Tokenizer& tokenizer,
                                          std::int64_t longest) {
  std::vector<TokenExample> all;
  for (const TextExample& example : set.examples) {
    const std::optional<std::string_view> second = example.second;
    Encoding text = encode_with_special(tokenizer, example.first, second, longest);
    TokenExample& one = all.emplace_back();
    one.ids = std::move(text.ids);
    one.types = std::move(text.types);
    one.label = example.label;
    one.value = example.value;
    if (example.target.empty()) continue;
    one.target = encode_with_special(tokenizer, example.target, std::nullopt, longest).ids;
    // A decoder learns to end only from texts that do.
    const std::optional<std::int32_t> end = tokenizer.end_of_text();
    if (!end || (!one.target.empty() && one.target.back() == *end)) continue;
    if (std::ssize(one.target) == longest) one.target.pop_back();
    one.target.push_back(*end);
  }
  return all;
}

ExampleOptions example_options(const ModelSpec& spec, const Path& directory,
                               const TaskSection& task, const DataSection& data,
                               const Tokenizer& tokenizer, std::int64_t multiple) {
  const SpecialTokens& special = tokenizer.special();
  const std::int32_t end = special.eos.value_or(special.sep.value_or(0));
  std::optional<std::int32_t> start;
  if (spec.has_encoder() && !directory.empty()) {
    start = read_generation_keys(directory, spec).decoder_start;
  }
  return {.answer = answer_kind(task.kind),
          .types = spec.types > 0,
          .pad = special.pad.value_or(end),
          .decoder_start = start.value_or(end),
          .longest = data.sequence,
          .multiple = multiple,
          .batch = data.batch};
}

const ImageData& image_data_of(const DataSection& data) {
  if (const ImageData* found = find_image_data(data.dataset)) return *found;
  throw ConfigError(Key{"data.dataset"}, "missing; task.kind: image_classification wants {}",
                    fmt::join(std::vector<std::string_view>{"cifar10", "cifar100"}, " or "));
}

ImageSet read_images(const Path& path, const ImageData& data) {
  std::vector<Path> files;
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      if (name == "train.bin" || (name.starts_with("data_batch_") && name.ends_with(".bin"))) {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    if (files.empty()) {
      throw DataError("{}: holds no data_batch_*.bin or train.bin", path.string());
    }
  } else {
    files.push_back(path);
  }
  return read_cifar(files, data.form);
}

std::vector<Metric> metrics_of(const TaskSection& task, const DataSection& data,
                               std::int64_t labels) {
  for (const GlueTask& known : glue_tasks()) {
    if (known.name == data.dataset) return known.metrics;
  }
  if (task.kind == TaskKind::regression) return {Metric::pearson, Metric::spearman};
  if (!task.has_labels()) return {};
  if (labels == 2) return {Metric::accuracy, Metric::f1, Metric::matthews};
  return {Metric::accuracy};
}

std::vector<Score> scores_of(const Answers& answers, std::span<const Metric> metrics) {
  std::vector<Score> scores;
  if (answers.examples() == 0) return scores;
  const std::vector<std::int32_t> given = answers.labels();
  const std::vector<std::int32_t> expected(answers.expected.begin(), answers.expected.end());
  std::vector<double> values;  // of a single number per example
  if (answers.width == 1) values.assign(answers.given.begin(), answers.given.end());
  for (const Metric metric : metrics) {
    double value = 0;
    switch (metric) {
      case Metric::accuracy:
        value = accuracy(expected, given);
        break;
      case Metric::f1:
        value = f1(expected, given);
        break;
      case Metric::matthews:
        value = matthews_correlation(expected, given);
        break;
      case Metric::pearson:
        value = values.size() < 2 ? 0.0 : pearson(values, answers.expected);
        break;
      case Metric::spearman:
        value = values.size() < 2 ? 0.0 : spearman(values, answers.expected);
        break;
    }
    scores.push_back({std::string(name_of(metric)), value});
  }
  return scores;
}

}  // namespace ty
