#include "launch/run/strategy.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "core/base/error.h"
#include "launch/process/on_root.h"
#include "launch/run/model_path.h"
#include "models/compress/compression.h"
#include "models/huggingface/stored_model.h"

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

void cut(const Path& from, const StrategyPhase& phase, const Path& to, const PhaseReport& report) {
  const StoredModel source(find_model(from).directory);
  const Method& method = method_of(phase);
  const std::vector<LinearSite> layers = layers_to_compress(source, method, phase.match);
  const Compression compression = compress(
      source, layers, method, request_of(phase),
      {.allocation = phase.allocate,
       .progress = [&](std::size_t i) { report.progress(layers[i].path, i, layers.size()); }});
  report.cut(compression);
  write_converted(source, conversion_of(source, compression), to);
}

}  // namespace

JobConfig job_of_phase(const JobConfig& job, std::size_t phase) {
  JobConfig own = job;
  own.strategy.clear();
  own.model.from = model_of(job, phase);
  own.run.dir = run_of(job, phase);
  own.run.seed = job.run.seed + static_cast<std::int64_t>(phase);
  own.run.steps = job.strategy.at(phase).steps;
  return own;
}

void prepare_phase(const JobConfig& job, std::size_t phase, const Group& world,
                   const PhaseReport& report) {
  on_root_do(world, [&] {
    const Path model = model_of(job, phase);
    if (std::filesystem::exists(model)) return;
    std::filesystem::create_directories(model.parent_path());
    const Path from = phase == 0 ? job.model.from : run_of(job, phase - 1);
    try {
      cut(from, job.strategy[phase], model, report);
    } catch (const UsageError& error) {
      throw UsageError("strategy[{}]: {}", phase, error.what());
    }
  });
}

}  // namespace ty
