// The events of a training run: the training loop computes, observers display and record.
//
// Observers are called on rank 0 only, in the order of events; nothing that they do changes a
// number of the run.
#pragma once

#include <optional>
#include <string>

#include "launch/run/evaluation.h"
#include "launch/run/plan.h"
#include "launch/run/run_directory.h"
#include "launch/run/stage_times.h"

namespace ty {

// What is known before the first step. References are valid only during the call, except for the
// run directory, which outlives the run.
struct RunFacts {
  RunDirectory& directory;
  const JobConfig& job;
  const ModelSpec& model;
  const Plan& plan;
  std::int64_t steps_done = -1;  // according to the checkpoint from which the run resumes; -1: none
  int ranks = 1;
  int threads = 1;                // of each rank
  int cores = 1;                  // that this process may use
  std::int64_t data_tokens = 0;   // of the training text; 0: the data is examples
  std::int64_t examples = 0;      // windows of the text or examples, per epoch
  double gemm_flops_ceiling = 0;  // measured, per second, of all ranks together
  std::string why_cpu = {};       // why there is no GPU, where one could expect it
  std::string shared_cards = {};  // how many ranks share a card, where some do
};

// The latest step, and the speed of all steps since the previous record. There is one for every
// step that was skipped.
struct StepRecord {
  std::int64_t step = 0;  // steps done
  double loss = 0;        // nats per token
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping; not finite if the step was skipped
  std::int64_t tokens = 0;   // of the whole run
  double tokens_per_second = 0;
  double step_seconds = 0;
  double matrix_flops_per_second = 0;  // of all ranks
  std::int64_t peak_bytes = 0;         // largest of the ranks
  double seconds_left = 0;             // estimated
  double loss_scale = 0;               // that its gradients had; 0: the loss is not scaled
  double next_loss_scale = 0;          // that the next step's will have
  bool skipped = false;                // its gradients overflowed: no weight has changed
};

struct EvaluationRecord {
  std::int64_t step = 0;
  Evaluation result;
  bool is_complete = false;  // all of the data, not a sample of it
};

struct RunSummary {
  Path checkpoint;              // the last one
  Path best_checkpoint;         // if it is kept
  std::string best = {};        // which step's evaluation was the best; "" if none are compared
  std::string early_stop = {};  // why the run ended before its last step; "" if it did not
  // Of this process, if it took a step:
  std::optional<MemoryStats> measured;
  Traffic traffic = {};  // in its last step
  // Of the stages of its pipeline, if there are several.
  std::optional<PipelineTimes> times = {};
};

// By default every function does nothing. If one throws, that record is lost but the run goes on
// (observers.h).
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // The run was complete already, and why; nothing will be written. Called instead of started().
  virtual void found_complete(const JobConfig& /*job*/, const std::string& /*why*/) {}
  // Called before memory for the model is allocated.
  virtual void started(const RunFacts& /*facts*/) {}
  // Something that the user should know.
  virtual void noted(const std::string& /*text*/) {}
  // The weights were restored from a checkpoint; records of later steps will be repeated.
  virtual void resumed(std::int64_t /*step*/) {}
  virtual void stepped(const StepRecord& /*record*/) {}
  // What the first steps did, as a trace.json.
  virtual void traced(const std::string& /*text*/) {}
  virtual void evaluated(const EvaluationRecord& /*record*/) {}
  virtual void sampled(std::int64_t /*step*/, const std::string& /*text*/) {}
  // `warning`: what failed after the checkpoint was complete; empty if nothing did.
  virtual void saved(std::int64_t /*step*/, const std::string& /*warning*/) {}
  virtual void save_failed(std::int64_t /*step*/, const std::string& /*error*/) {}
  // The run was stopped on request, with a checkpoint, before its last step.
  virtual void stopped(std::int64_t /*step*/) {}
  // All steps are done and saved, or the run ended early.
  virtual void ended(const RunSummary& /*summary*/) {}
};

}  // namespace ty
