#include "launch/trainer.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

ExitCode run_train(const Arguments& arguments, RankStatus& status) {
  JobConfig job = load_job(arguments.word(0, "the job file"), arguments.overrides);
  World world(status);
  return Trainer(std::move(job), world, status, arguments.argv).run();
}

}  // namespace

const Verb& train_verb() {
  static const Verb verb = {
      "train",
      "CONFIG [key=value ...]",
      "Run the job of a YAML file; resumes from the newest valid checkpoint of its run directory",
      {},
      true,
      run_train};
  return verb;
}

}  // namespace ty
