// The training run of one rank: steps, and what is due between them. What is shown and logged of it
// is the business of its observers.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "launch/process/stop_request.h"
#include "launch/process/world.h"
#include "launch/run/checkpointing.h"
#include "launch/run/dataset.h"
#include "launch/run/layout.h"
#include "launch/run/observers.h"
#include "launch/run/run_start.h"
#include "launch/run/step_patience.h"
#include "launch/run/step_times.h"
#include "launch/run/trace.h"

namespace ty {

class Trainer {
 public:
  // `facts` go into the run's manifest; `observers` are those of this rank. A collective of all
  // ranks. Throws before anything is written if ranks have different jobs or start_run() refuses
  // the job.
  Trainer(JobConfig job, World& world, RankStatus& status, const nlohmann::json& facts,
          Observers observers);
  // Runs what is left of the job. ok if it is complete, the stop request's code if not. Throws
  // IoError if the end could not be saved, or if records were lost on the way.
  ExitCode run();

 private:
  void build(RunStart start);
  // Makes the model and what trains it; watches the actions of its steps.
  void set_up();
  void tell_start(std::int64_t steps_done);
  void resume(const std::optional<Checkpoint>& checkpoint, const std::vector<std::string>& notes);
  // Where the run is once so many steps are done.
  Position position_at(std::int64_t step) const;
  void take_step(std::int64_t step);
  // Takes the numbers of the last step, if nobody has.
  void settle();
  void record(std::int64_t step, const StepReport& report);
  void check_replicas_now(std::int64_t step);
  // Goes on without the guides that have faded out: saves, and resumes from that.
  void drop_guides(std::int64_t step);
  // Samples, evaluation and checkpoint of a step that is done.
  void do_what_is_due(std::int64_t step);
  void evaluate_now(std::int64_t step, bool last);
  // Whether the evaluation is the best one so far, on all ranks alike.
  void compare(const Evaluation& result, std::int64_t step);
  bool is_best(std::int64_t step) const { return best_.step == step; }
  // What is due after the last step.
  void complete(std::int64_t step);
  void sample_now(std::int64_t step);
  void save_now(std::int64_t step);
  // Work of one rank or all of them that takes as long as it takes: the others wait for its end
  // with the patience that they have outside of steps.
  void between_steps(const std::function<void()>& work);
  // The signal that some rank has received, on all ranks alike.
  int agreed_stop();
  ExitCode stop(int signal, std::int64_t step);
  void finish(std::int64_t step);
  void tell_trace();
  std::optional<PipelineTimes> gather_stage_times() const;

  JobConfig job_;
  World& world_;
  RankStatus& status_;
  Observers observers_;
  std::unique_ptr<Backend> backend_;
  Layout layout_;
  std::unique_ptr<RunDirectory> directory_;  // rank 0 only
  Dataset dataset_;
  ModelSpec model_;
  std::unique_ptr<TrainingSetup> setup_;
  std::optional<PendingStep> pending_;  // of status_.step, or of the one before
  std::int64_t pending_done_ = 0;       // steps done with it
  CheckpointContext checkpoints_;
  StopRequests stop_;
  double step_flops_ = 0;            // matrix products of all ranks in a step
  std::int64_t predicted_peak_ = 0;  // bytes of this rank
  Position start_;                   // of this process
  bool is_finished_ = false;
  std::int64_t saved_step_ = -1;
  BestStep best_;
  int failed_saves_ = 0;
  StepPatience patience_;
  StepTimes times_;
  StageTimes stage_times_;
  std::unique_ptr<Trace> trace_;
  Traffic traffic_;  // of the last step
};

}  // namespace ty
