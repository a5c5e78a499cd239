#include <nlohmann/json.hpp>

#include "launch/process/output.h"
#include "launch/report/console.h"
#include "launch/report/metrics.h"
#include "launch/report/tensorboard.h"
#include "launch/run/trainer.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

ExitCode run_train(const Arguments& arguments, RankStatus& status) {
  outlive_readers();
  const std::string& file = arguments.word(0, "the job file");
  World world(status);
  const auto job = load_job_with_origins(file, arguments.overrides);
  const nlohmann::json facts = {{"version", TY_VERSION},
                                {"argv", arguments.argv},
                                {"ranks", world.size()},
                                {"threads_per_rank", world.threads()}};
  Console console;
  Metrics metrics;
  TensorBoard tensorboard;
  std::vector<RunObserver*> observers;
  if (world.is_root()) {
    observers = {&console, &metrics};
    if (job.value.log.tensorboard) observers.push_back(&tensorboard);
  }
  return config::with_places(job.origins, [&] {
    return Trainer(job.value, world, status, facts, Observers(observers)).run();
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
