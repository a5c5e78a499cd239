// The training run of one rank: data, steps, evaluation, samples, checkpoints, progress.
#pragma once

#include <memory>

#include "launch/checkpointing.h"
#include "launch/dataset.h"
#include "launch/plan.h"
#include "launch/progress.h"
#include "launch/run_directory.h"
#include "launch/stop_request.h"
#include "launch/world.h"
#include "parallel/mesh/mesh.h"

namespace ty {

class Trainer {
 public:
  // A collective of all ranks. Throws before anything is created if ranks have different jobs.
  Trainer(JobConfig job, World& world, RankStatus& status, const std::vector<std::string>& argv);
  // Runs what is left of the job. ok if it is complete, the stop request's code if not.
  ExitCode run();

 private:
  void print_start(const Plan& plan);
  void resume();
  HostBatch batch_of(std::int64_t step) const;
  void log_step(std::int64_t step, const StepReport& report);
  void evaluate_now(std::int64_t step, bool last);
  void sample_now(std::int64_t step);
  void save_now(std::int64_t step);
  // The signal that some rank has received, on all ranks alike.
  int agreed_stop();
  std::string sample_text(std::int64_t step);

  JobConfig job_;
  World& world_;
  RankStatus& status_;
  Mesh mesh_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<RunDirectory> directory_;  // rank 0 only
  Dataset dataset_;
  Gpt2Config config_;
  std::unique_ptr<TrainingSetup> setup_;
  std::unique_ptr<Sampler> sampler_;
  CheckpointContext checkpoints_;
  StopRequests stop_;
  ProgressLine progress_;
  Plan plan_;
  double ceiling_ = 0;  // FLOP/s of all ranks together
  std::int64_t first_step_ = 0;
  std::int64_t saved_step_ = -1;
  int failed_saves_ = 0;
  double seconds_ = 0;  // of training steps since the last log line
  double tokens_ = 0;
  std::int64_t steps_ = 0;
  double mean_step_seconds_ = 0;
};

}  // namespace ty
