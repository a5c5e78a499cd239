#include "launch/run/text_judges.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "launch/run/dataset.h"
#include "launch/run/evaluation.h"
#include "launch/run/model_path.h"
#include "launch/run/task_data.h"
#include "models/families/family.h"
#include "models/huggingface/model_config.h"
#include "models/huggingface/model_tensors.h"

namespace ty {

namespace {

constexpr std::int64_t kBatch = 16;  // texts at once

// A judge's files.
struct Judge {
  Path directory;
  ModelSpec spec;  // as stored
  std::unique_ptr<Tokenizer> tokenizer;
};

Judge find_judge(const Path& named) {
  const Path directory = find_model(named).directory;
  Judge judge = {directory, read_model_config(directory), find_tokenizer(directory)};
  if (judge.tokenizer == nullptr) throw DataError("{}: has no tokenizer files", directory.string());
  check_vocab(judge.spec, directory, judge.tokenizer->vocab_size());
  return judge;
}

std::unique_ptr<Source> source_of(const Judge& judge, std::span<const std::string> texts,
                                  AnswerKind answer) {
  ExampleSet set;
  for (const std::string& text : texts) {
    set.examples.push_back({.first = text, .second = {}, .label = 0, .value = 0, .target = {}});
  }
  std::vector<TokenExample> examples = encode_examples(set, *judge.tokenizer, judge.spec.context);
  // Of an empty text a model reads at least something.
  for (TokenExample& example : examples) {
    if (!example.ids.empty()) continue;
    example.ids = {judge.tokenizer->end_of_text().value_or(0)};
    example.types = {0};
  }
  DataSection data;
  data.sequence = judge.spec.context;
  ExampleOptions options = example_options(judge.spec, {}, {}, data, *judge.tokenizer, 8);
  options.answer = answer;
  return evaluation_examples(std::move(examples), options);
}

using Vector = std::vector<double>;

// Mean of the first `count` rows of [length, width] from row `first` on.
Vector mean_row(const std::vector<float>& rows, std::int64_t first, std::int64_t count,
                std::int64_t width) {
  Vector mean(static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < count * width; ++i) {
    mean[static_cast<std::size_t>(i % width)] +=
        static_cast<double>(rows[static_cast<std::size_t>(first * width + i)]);
  }
  for (double& number : mean) number /= static_cast<double>(count);
  return mean;
}

// Of each text.
std::vector<Vector> vectors(const Judge& judge, std::span<const std::string> texts, DType dtype) {
  const NoGrad no_grad;
  const auto backend = make_backend(DeviceChoice::automatic);
  ModelSpec spec = judge.spec;
  spec.head = {.kind = HeadSpec::Kind::none};
  const OpenedModel opened = declare_model(spec, *backend, only_run(dtype));
  const auto missing = load_common_weights(judge.directory, *opened.parameters, judge.spec);
  TY_CHECK(missing.empty(), "{}: no {}", judge.directory.string(), fmt::join(missing, ", "));
  const auto source = source_of(judge, texts, AnswerKind::none);
  std::vector<Vector> all;
  for (std::int64_t first = 0; first < source->examples(); first += kBatch) {
    const HostBatch host = source->batch(first, std::min(kBatch, source->examples() - first));
    const Batch batch = upload(*backend, host, 0, host.sequences);
    const Flow out = opened.model->forward({.batch = batch});
    const Tensor last = opened.model->readout().logits(out.hidden);
    const std::vector<float> rows = last.to(DType::f32).values<float>();  // [B, T, C]
    const std::int64_t length = host.at(Column::ids).row[0];
    for (std::int64_t b = 0; b < host.sequences; ++b) {
      const std::int64_t count = host.at(Column::lengths).ids[static_cast<std::size_t>(b)];
      all.push_back(mean_row(rows, b * length, count, last.dim(-1)));
    }
  }
  return all;
}

double cosine(const Vector& a, const Vector& b) {
  const auto dot = [](const Vector& x, const Vector& y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  const double lengths = std::sqrt(dot(a, a) * dot(b, b));
  return lengths > 0 ? dot(a, b) / lengths : 0.0;
}

}  // namespace

std::vector<double> judged_as(std::string_view label, const Path& classifier,
                              std::span<const std::string> texts, DType dtype) {
  const Judge judge = find_judge(classifier);
  if (judge.spec.head.kind != HeadSpec::Kind::labels || judge.spec.reads_images()) {
    throw UsageError(
        "{}: a judge of labels is a classifier of texts; this is another model of "
        "family {}",
        classifier.string(), judge.spec.family);
  }
  const std::vector<std::string> labels = label_names(judge.spec);
  const auto found = std::find(labels.begin(), labels.end(), label);
  if (found == labels.end()) {
    throw UsageError("{}: has no label \"{}\"; want one of {}", classifier.string(), label,
                     fmt::join(labels, ", "));
  }
  const auto backend = make_backend(DeviceChoice::automatic);
  const OpenedModel opened = open_model(judge.directory, *backend, only_run(dtype));
  const auto source = source_of(judge, texts, AnswerKind::label);
  const Evaluation result = evaluate(
      *opened.model, *objective_of(judge.spec.head), *backend, {*source, classifier.string()},
      {.sequence = judge.spec.context, .batch = kBatch, .keep_answers = true});
  std::vector<double> is_label;
  for (const std::int32_t given : result.answers.labels()) {
    is_label.push_back(given == found - labels.begin() ? 1.0 : 0.0);
  }
  return is_label;
}

std::vector<double> similarities(const Path& encoder, std::span<const std::string> a,
                                 std::span<const std::string> b, DType dtype) {
  TY_CHECK(a.size() == b.size(), "{} texts and {}", a.size(), b.size());
  const Judge judge = find_judge(encoder);
  if (judge.spec.has_encoder() || judge.spec.reads_images()) {
    throw UsageError("{}: a judge of similarity reads one text; a model of family {} does not",
                     encoder.string(), judge.spec.family);
  }
  const std::vector<Vector> x = vectors(judge, a, dtype), y = vectors(judge, b, dtype);
  std::vector<double> cosines;
  for (std::size_t i = 0; i < x.size(); ++i) cosines.push_back(cosine(x[i], y[i]));
  return cosines;
}

}  // namespace ty
