#include "launch/run/strategy.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/print.h"
#include "core/io/file.h"
#include "launch/job/job_changes.h"
#include "launch/process/on_root.h"
#include "launch/run/device.h"
#include "launch/run/job_check.h"
#include "launch/run/model_examples.h"
#include "launch/run/model_path.h"
#include "launch/run/model_setup.h"
#include "launch/run/model_statistics.h"
#include "models/compress/compression.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/stored_model.h"
#include "models/linear/pruned/pruned.h"
#include "models/statistics/statistics_file.h"

namespace ty {

namespace {

Path directory_of(const JobConfig& job, std::size_t phase) {
  return job.run.dir / "phases" / fmt::format("{}", phase + 1);
}

bool is_last(const JobConfig& job, std::size_t phase) { return phase + 1 == job.strategy.size(); }

Path run_of(const JobConfig& job, std::size_t phase) {
  return is_last(job, phase) ? job.run.dir : directory_of(job, phase) / "run";
}

Path model_of(const JobConfig& job, std::size_t phase) {
  return directory_of(job, phase) / "model";
}

Path statistics_of(const JobConfig& job, std::size_t phase) {
  return directory_of(job, phase) / "statistics.safetensors";
}

// The model that a phase cuts.
Path source_of(const JobConfig& job, std::size_t phase) {
  return find_model(phase == 0 ? job.model.from : run_of(job, phase - 1)).directory;
}

// Of the layers that the phase cuts. Batches are the job's.
void take_statistics(const JobConfig& job, std::size_t phase, const World& world,
                     const PhaseReport& report) {
  const Path from = source_of(job, phase);
  const StoredModel source(from);
  const StrategyPhase& own = job.strategy[phase];
  const Method& method = method_of(own);
  const ModelSpec spec = read_model_config(from);
  const ModelExamples examples = training_data_of(job, from, spec);
  StatisticsPassOptions options = {
      .examples = own.examples, .batch = job.data.batch, .reduction = job.parallel.reduction};
  if (world.is_root()) options.progress = report.statistics;
  const auto backend = make_backend(job, world.place());
  take_statistics({.model = from,
                   .layers = layers_to_compress(source, method, own.match),
                   .kinds = method.needs,
                   .source = *examples.source,
                   .data = job.data.train,
                   .options = options,
                   .target = statistics_of(job, phase)},
                  spec, *backend, world.group());
}

// What a phase's model was asked for, beside it.
Path request_file(const JobConfig& job, std::size_t phase) {
  return directory_of(job, phase) / "request.yaml";
}

// The phase's model is there; made by the phase that the job states. Of older runs nobody knows.
void check_request(const JobConfig& job, std::size_t phase) {
  const Path file = request_file(job, phase);
  if (!std::filesystem::exists(file)) return;
  const auto before = config::load<StrategyPhase>(file).value;
  const std::vector<JobChange> changes = changes_between(before, job.strategy[phase]);
  if (changes.empty()) return;
  throw ConfigError(Key{fmt::format("strategy[{}]", phase)},
                    "{} was cut by other values: {}; keep them, or name another run.dir",
                    model_of(job, phase).string(), to_text(changes));
}

void cut(const JobConfig& job, std::size_t phase, const PhaseReport& report) {
  const StoredModel source(source_of(job, phase));
  const StrategyPhase& own = job.strategy[phase];
  const Method& method = method_of(own);
  const std::vector<LinearSite> layers = layers_to_compress(source, method, own.match);
  std::optional<StatisticsFile> statistics;
  if (method.needs_statistics()) statistics.emplace(statistics_of(job, phase));
  const Compression compression = compress(
      source, layers, method, request_of(own),
      {.statistics = statistics ? &*statistics : nullptr,
       .allocation = own.allocate,
       .progress = [&](std::size_t i) { report.progress(layers[i].path, i, layers.size()); }});
  report.cut(compression);
  write_converted(source, conversion_of(source, compression), model_of(job, phase));
}

// Names the phase in what a user got wrong in it, whose words are those of trainyard compress.
void of_phase(std::size_t phase, const std::function<void()>& work) {
  try {
    work();
  } catch (const UsageError& error) {
    std::string text = error.what();
    for (auto at = text.find("--"); at != std::string::npos; at = text.find("--", at)) {
      text.erase(at, 2);
    }
    throw ConfigError(Key{fmt::format("strategy[{}]", phase)}, "{}", text);
  }
}

}  // namespace

namespace {

// Throws UsageError for what a phase cannot do to layers that phases before it have made what
// `kinds` says, by path; what it makes of them stands there then.
void check_phase(const JobConfig& job, std::size_t phase, const StoredModel& source,
                 std::map<std::string, std::string_view>& kinds) {
  const StrategyPhase& own = job.strategy[phase];
  const Method& method = method_of(own);
  const bool prunes = method.kind == PrunedSpec::kKind;
  if (prunes && job.precision.compute == DType::f16) {
    throw UsageError(
        "method: {} gathers scores, for which fp16 has no numbers; want "
        "precision.compute: bf16 or fp32",
        method.name);
  }
  if (prunes && job.run.early_stop.patience > 0) {
    throw UsageError(
        "method: {} prunes until late in its steps, before which "
        "run.early_stop.patience = {} may end them; want 0",
        method.name, job.run.early_stop.patience);
  }
  for (const LinearSite& site : layers_to_compress(source, method, own.match)) {
    const auto made = kinds.find(site.path);
    const std::string_view kind = made == kinds.end() ? kind_name(site.spec) : made->second;
    if (method.of_pruned && kind != PrunedSpec::kKind) {
      throw UsageError(
          "method: {} wants layers that a phase before it has pruned by first_order; {} "
          "is {}",
          method.name, site.path, kind);
    }
    check_request(site, method, request_of(own));
    kinds[site.path] = method.kind;
  }
}

}  // namespace

void check_phases(const JobConfig& job, const MeshShape& mesh) {
  check_layout(job, mesh);
  JobConfig first = job;
  first.model.from = find_model(job.model.from).directory;
  declared_model(first);
  const StoredModel source(first.model.from);
  std::map<std::string, std::string_view> kinds;
  for (std::size_t phase = 0; phase < job.strategy.size(); ++phase) {
    of_phase(phase, [&] { check_phase(job, phase, source, kinds); });
  }
}

JobConfig job_of_phase(const JobConfig& job, std::size_t phase) {
  JobConfig own = job;
  own.strategy.clear();
  own.model.from = model_of(job, phase);
  own.run.dir = run_of(job, phase);
  own.run.seed = job.run.seed + static_cast<std::int64_t>(phase);
  own.run.steps = job.strategy.at(phase).steps;
  own.steps_key = fmt::format("strategy[{}].steps", phase);
  return own;
}

void prepare_phase(const JobConfig& job, std::size_t phase, const World& world,
                   const PhaseReport& report) {
  const std::string found = on_root(world.group(), [&] {
    if (!std::filesystem::exists(model_of(job, phase))) return "";
    check_request(job, phase);
    return "a model";
  });
  if (!found.empty()) return;
  on_root_do(world.group(), [&] {
    std::filesystem::create_directories(directory_of(job, phase));
    const std::string request = config::to_yaml(job.strategy[phase]);
    atomic_write_file(request_file(job, phase), std::as_bytes(std::span(request)));
  });
  if (method_of(job.strategy[phase]).needs_statistics()) {
    of_phase(phase, [&] { take_statistics(job, phase, world, report); });
  }
  on_root_do(world.group(), [&] { of_phase(phase, [&] { cut(job, phase, report); }); });
}

}  // namespace ty
