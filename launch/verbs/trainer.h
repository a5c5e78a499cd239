// The training run of one rank: data, steps, evaluation, samples, checkpoints, progress.
#pragma once

#include <functional>
#include <memory>

#include "launch/process/stop_request.h"
#include "launch/process/world.h"
#include "launch/report/progress.h"
#include "launch/run/checkpointing.h"
#include "launch/run/dataset.h"
#include "launch/run/plan.h"
#include "launch/run/run_directory.h"
#include "launch/run/run_start.h"
#include "launch/run/step_patience.h"
#include "parallel/mesh/mesh.h"

namespace ty {

class Trainer {
 public:
  // A collective of all ranks. Throws before anything is written if ranks have different jobs or
  // start_run() refuses the job.
  Trainer(JobConfig job, World& world, RankStatus& status, const std::vector<std::string>& argv);
  // Runs what is left of the job. ok if it is complete, the stop request's code if not.
  ExitCode run();

 private:
  void build(RunStart start);
  void print_start();
  void resume(const std::optional<Checkpoint>& checkpoint, const std::vector<std::string>& notes);
  // Where the run is once so many steps are done.
  Position position_at(std::int64_t step) const;
  HostBatch batch_of(std::int64_t step) const;
  void take_step(std::int64_t step);
  // Samples, evaluation and checkpoint of a step that is done.
  void do_what_is_due(std::int64_t step);
  ExitCode stop(int signal, std::int64_t step);
  void log_step(std::int64_t step, const StepReport& report);
  void evaluate_now(std::int64_t step, bool last);
  void sample_now(std::int64_t step);
  void save_now(std::int64_t step);
  // Work of one rank or all of them that takes as long as it takes: the others wait for its end
  // with the patience that they have outside of steps.
  void between_steps(const std::function<void()>& work);
  // The signal that some rank has received, on all ranks alike.
  int agreed_stop();
  void finish();
  // Says once that a log could not be written.
  void note_lost(const std::string& error);
  std::string sample_text(std::int64_t step);

  JobConfig job_;
  World& world_;
  RankStatus& status_;
  Mesh mesh_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<RunDirectory> directory_;  // rank 0 only
  Dataset dataset_;
  ModelSpec config_;
  std::unique_ptr<TrainingSetup> setup_;
  std::unique_ptr<Source> windows_;  // of the training text
  CheckpointContext checkpoints_;
  StopRequests stop_;
  ProgressLine progress_;
  Plan plan_;
  double ceiling_ = 0;  // FLOP/s of all ranks together
  Position start_;      // of this process
  bool is_finished_ = false;
  std::int64_t saved_step_ = -1;
  int failed_saves_ = 0;
  bool lost_said_ = false;
  StepPatience patience_;
  double seconds_ = 0;  // of training steps since the last log line
  double tokens_ = 0;
  std::int64_t steps_ = 0;
  double mean_step_seconds_ = 0;
};

}  // namespace ty
