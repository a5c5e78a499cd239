#include "launch/verbs/eval_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/file.h"
#include "launch/process/output.h"
#include "launch/run/model_setup.h"
#include "launch/run/task_data.h"
#include "launch/verbs/eval_written.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/task_file.h"
#include "models/objective/objective.h"

namespace ty {

const OptionSpec kPredictionsOption = {
    "--predictions", "FILE",
    "write the answer to each example, one per line; without MODEL: texts to be scored"};

namespace {

void write_predictions(const Path& path, const Answers& answers, const TaskFile& file) {
  std::string text;
  const std::vector<std::int32_t> labels = answers.labels();
  for (std::size_t i = 0; i < answers.examples(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    text += file.task.kind == TaskKind::regression ? fmt::format("{}", answers.given[i])
            : label < file.labels.size()           ? file.labels[label]
                                                   : std::to_string(label);
    text += '\n';
  }
  atomic_write_file(path, bytes_of(text));
}

// Each on one line.
void write_texts(const Path& path, std::vector<std::string> texts) {
  std::string all;
  for (std::string& text : texts) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    all += text + '\n';
  }
  atomic_write_file(path, bytes_of(all));
}

}  // namespace

TaskEvaluation evaluate_on(const Arguments& arguments, World& world, const TaskPlace& place,
                           DType dtype) {
  const ModelSpec spec = read_model_config(place.directory);
  const TaskFile file = task_file(arguments, place.named, place.directory, spec);
  const std::int64_t longest = arguments.integer("--sequence", spec.context);
  const auto backend = make_backend(DeviceChoice::automatic, Reduction::fast, world.place());
  const SharedModel shared =
      open_shared_model(place.directory, *backend, world.group(), model_degrees(arguments), dtype);
  const auto source =
      task_source(file, place.file, spec, place.directory, longest, shared.mesh.shape().tensor);
  TaskEvaluation task = {.dataset = file.data.dataset, .answers_are_texts = !spec.head.is_pooled()};
  task.result = evaluate(*shared.opened.model, *objective_of(spec.head), *backend,
                         {*source, place.file.string()},
                         {.sequence = longest,
                          .batch = arguments.integer("--batch", 8),
                          .keep_answers = spec.head.is_pooled()},
                         {shared.mesh.data(), shared.mesh.pipeline()});
  WrittenTexts written;
  if (task.answers_are_texts && arguments.flag("--generate")) {
    written = write_answers(arguments, shared, *backend, place.directory, file, place.file);
  }
  task.examples = task.answers_are_texts ? written.written.size() : task.result.answers.examples();
  task.peak_bytes = backend->memory().stats().total_peak;
  if (!world.is_root()) return task;
  if (!written.written.empty()) {
    if (arguments.flag("--predictions")) {
      write_texts(arguments.text("--predictions", ""), written.written);
    }
    task.result.scores = scores_of(written, arguments, dtype);
    return task;
  }
  task.result.scores =
      scores_of(task.result.answers, metrics_of(file.task, file.data, spec.head.labels));
  if (spec.head.is_pooled() && arguments.flag("--predictions")) {
    write_predictions(arguments.text("--predictions", ""), task.result.answers, file);
  }
  return task;
}

ExitCode evaluate_task(const Arguments& arguments, World& world, const Path& directory,
                       DType dtype) {
  const TaskEvaluation task = evaluate_on(arguments, world,
                                          {.named = arguments.word(0, "the run or model directory"),
                                           .directory = directory,
                                           .file = arguments.word(1, "the file of examples")},
                                          dtype);
  if (!world.is_root()) return ExitCode::ok;
  const Evaluation& result = task.result;
  if (arguments.flag("--json")) {
    nlohmann::json json = {
        {"loss", result.loss}, {"dtype", name_of(dtype)}, {"peak_bytes", task.peak_bytes}};
    if (task.answers_are_texts) {
      json["perplexity"] = result.perplexity();
      json["tokens"] = static_cast<std::int64_t>(result.tokens);
    }
    if (task.examples > 0) json["examples"] = task.examples;
    if (find_glue_data(task.dataset) != nullptr) {
      json["dataset"] = task.dataset;
      json["file"] = arguments.words[1];
    }
    for (const Score& score : result.scores) json[score.name] = score.value;
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print("loss {:.4f}", result.loss);
  if (task.answers_are_texts) fmt::print("  perplexity {:.2f}", result.perplexity());
  for (const Score& score : result.scores) fmt::print("  {} {:.4f}", score.name, score.value);
  if (task.answers_are_texts) fmt::print("  tokens {:.0f}", result.tokens);
  if (task.examples > 0) fmt::print("  examples {}", task.examples);
  fmt::print("\n");
  return ExitCode::ok;
}

}  // namespace ty
