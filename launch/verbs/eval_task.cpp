#include "launch/verbs/eval_task.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/file.h"
#include "launch/process/output.h"
#include "launch/run/model_setup.h"
#include "launch/run/task_data.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/task_file.h"
#include "models/objective/objective.h"

namespace ty {

const OptionSpec kPredictionsOption = {"--predictions", "FILE",
                                       "write the answer to each example, one per line"};

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

}  // namespace

ExitCode evaluate_task(const Arguments& arguments, World& world, const Path& directory,
                       const ModelSpec& spec, DType dtype) {
  const TaskFile file = task_file(arguments, directory, spec);
  const Path path = arguments.word(1, "the file of examples");
  const std::int64_t longest = arguments.integer("--sequence", spec.context);
  const auto backend = make_backend(DeviceChoice::automatic);
  const SharedModel shared =
      open_shared_model(directory, *backend, world.group(), model_degrees(arguments), dtype);
  const auto source = task_source(file, path, spec, directory, longest, shared.mesh.shape().tensor);
  const Evaluation result = evaluate(
      *shared.opened.model, *objective_of(spec.head), *backend, {*source, path.string()},
      {.sequence = longest, .batch = arguments.integer("--batch", 8), .keep_answers = true},
      {shared.mesh.data(), shared.mesh.pipeline()});
  if (!world.is_root()) return ExitCode::ok;
  const std::vector<Score> scores =
      scores_of(result.answers, metrics_of(file.task, file.data, spec.head.labels));
  if (arguments.flag("--predictions")) {
    write_predictions(arguments.text("--predictions", ""), result.answers, file);
  }
  if (arguments.flag("--json")) {
    nlohmann::json json = {{"loss", result.loss},
                           {"examples", result.answers.examples()},
                           {"dtype", name_of(dtype)},
                           {"peak_bytes", backend->memory().stats().total_peak}};
    for (const Score& score : scores) json[score.name] = score.value;
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print("loss {:.4f}", result.loss);
  for (const Score& score : scores) fmt::print("  {} {:.4f}", score.name, score.value);
  fmt::print("  examples {}\n", result.answers.examples());
  return ExitCode::ok;
}

}  // namespace ty
