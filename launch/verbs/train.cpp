#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/process/on_root.h"
#include "launch/process/output.h"
#include "launch/report/compression_report.h"
#include "launch/report/console.h"
#include "launch/report/metrics.h"
#include "launch/report/progress.h"
#include "launch/report/tensorboard.h"
#include "launch/run/job_check.h"
#include "launch/run/layout.h"
#include "launch/run/strategy.h"
#include "launch/run/trainer.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

ExitCode run_job(const JobConfig& job, World& world, RankStatus& status,
                 const nlohmann::json& facts) {
  Console console;
  Metrics metrics;
  TensorBoard tensorboard;
  std::vector<RunObserver*> observers;
  if (world.is_root()) {
    observers = {&console, &metrics};
    if (job.log.tensorboard) observers.push_back(&tensorboard);
  }
  return Trainer(job, world, status, facts, Observers(observers)).run();
}

ExitCode run_strategy(const JobConfig& job, World& world, RankStatus& status,
                      const nlohmann::json& facts) {
  check_same_job(job, world.group());
  const MeshShape mesh = mesh_shape(job, world.size());
  on_root_do(world.group(), [&] { check_phases(job, mesh); });
  for (std::size_t phase = 0; phase < job.strategy.size(); ++phase) {
    if (world.is_root()) remark(describe(job.strategy, phase));
    ProgressLine progress;
    prepare_phase(job, phase, world,
                  {.statistics =
                       [&](std::int64_t done, std::int64_t batches) {
                         progress.show(fmt::format("statistics  batch {}/{}", done, batches));
                       },
                   .progress =
                       [&](const std::string& layer, std::size_t done, std::size_t layers) {
                         progress.show(fmt::format("{}  {}/{}  {}", job.strategy[phase].method,
                                                   done + 1, layers, layer));
                       },
                   .cut =
                       [&](const Compression& compression) {
                         progress.finish();
                         fmt::print("{}", to_text(compression));
                         std::fflush(stdout);
                       }});
    const ExitCode code = run_job(job_of_phase(job, phase), world, status, facts);
    if (code != ExitCode::ok) return code;
  }
  return ExitCode::ok;
}

ExitCode run_train(const Arguments& arguments, RankStatus& status) {
  outlive_readers();
  const std::string& file = arguments.word(0, "the job file");
  World world(status);
  const auto job = load_job_with_origins(file, arguments.overrides);
  const nlohmann::json facts = {{"version", TY_VERSION},
                                {"argv", arguments.argv},
                                {"ranks", world.size()},
                                {"threads_per_rank", world.threads()}};
  return config::with_places(job.origins, [&] {
    return (job.value.strategy.empty() ? run_job : run_strategy)(job.value, world, status, facts);
  });
}

}  // namespace

const Verb& train_verb() {
  static const Verb verb = {
      "train",
      "CONFIG [key=value ...]",
      "Run the job of a YAML file; resumes from the newest valid checkpoint of its run directory",
      {},
      {{.name = "",
        .most_words = 1,
        .run = run_train,
        .takes_overrides = true,
        .shares_work = true}}};
  return verb;
}

}  // namespace ty
