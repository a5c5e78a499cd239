// One optimizer step of one rank: its part of the pipeline's program over micro-batches (without a
// pipeline, forward and backward of one after the other), reduction over the data ranks, clipping,
// update. Knows no files and prints nothing.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

#include "models/objective/objective.h"
#include "models/transformer/model.h"
#include "optim/learning_rate.h"
#include "optim/loss_scale.h"
#include "optim/optimizer.h"
#include "parallel/data/gradient_reducer.h"
#include "parallel/pipeline/executor.h"
#include "parallel/pipeline/schedules.h"

namespace ty {

using MakeProgram = std::function<Program(const PipeShape&)>;

struct StepOptions {
  std::int64_t micro_batches = 1;  // per rank
  int copies = 1;                  // of each example: 2 runs it twice
  Recompute recompute = Recompute::none;
  WeightReuse reuse = WeightReuse::pass;
  double clip = 0.0;       // limit of the gradient norm; 0: none
  std::uint64_t seed = 0;  // of dropout and of the rounding of 16-bit weights
  LearningRateSchedule schedule = {};
  LossScale loss_scale = {};  // as it begins
  MakeProgram make_program = one_f_one_b;
  ExecutorOptions executor = {};
};

struct StepReport {
  double loss = 0.0;           // mean over the global batch's targets, nats
  double gradient_norm = 0.0;  // before clipping; not finite if the step was skipped
  double learning_rate = 0.0;
  double tokens = 0.0;           // targets of the global batch that count
  double loss_scale = 0.0;       // that the gradients had; 0: the loss is not scaled
  double next_loss_scale = 0.0;  // that the next step's will have
  bool skipped = false;          // its gradients overflowed: no weight has changed
};

class TrainingStep;

// A step whose numbers are still on the device.
struct LateStep {
  TrainingStep& step;
  LateItem loss, squares;  // sums of the global batch, the latter with the loss scale
  StepReport report;       // complete once they are known
  bool is_known = false;
};

// A step that is on its way: done, unless its backend's kernels run behind the host. There nothing
// has waited for it, and its numbers are asked for when the next one is on its way.
class PendingStep {
 public:
  bool is_late() const { return late_ != nullptr; }
  // Targets of the global batch that count.
  double tokens() const { return report_.tokens; }
  // Waits for its numbers. Throws as TrainingStep::run().
  StepReport take();

 private:
  friend class TrainingStep;
  explicit PendingStep(const StepReport& report) : report_(report) {}

  StepReport report_;
  std::shared_ptr<LateStep> late_;  // null: the report is complete
};

class TrainingStep {
 public:
  // All references must outlive this.
  TrainingStep(Model& model, const Objective& objective, FlatParameters& parameters,
               Optimizer& optimizer, GradientReducer& reducer, StepOptions options,
               const Group& pipeline = {});

  // Runs step `step` (from 0) on this rank's sequences. Throws NonFiniteError, on all ranks and
  // before any weight changes, if the loss or a gradient is not finite; where only gradients are
  // not and a smaller loss scale may help, the step is skipped instead, on all ranks alike.
  StepReport run(const HostBatch& batch, std::int64_t step) { return start(batch, step).take(); }
  // The same without waiting for a device, where that can be: there what is not finite is found out
  // by take(), after later steps may have begun; none of them changes a weight. Where the loss is
  // scaled, a step decides how the next one is: that waits for it where its backward begins, with
  // its forward on the way. Canonical sums are waited for.
  PendingStep start(const HostBatch& batch, std::int64_t step);

  // What the last step ran.
  const Program& program() const { return program_; }

  // Calls `on_span` after each action of the steps to come.
  void observe(std::function<void(const Span&)> on_span) {
    options_.executor.on_span = std::move(on_span);
  }

  // Of the next step; part of what a checkpoint holds.
  LossScale& loss_scale() {
    settle_last();
    return loss_scale_;
  }

 private:
  friend class PendingStep;
  PendingStep start_copies(const HostBatch& batch, std::int64_t step);
  PendingStep finish_late(StepReport report, std::int64_t step);
  // Forward and backward of all micro-batches. `tokens`: of the global batch.
  void run_micro_batches(const HostBatch& batch, std::int64_t step, PendingSum& tokens);
  // Whether the step is taken or skipped, or throws; on all ranks alike. The loss scale follows.
  void judge(StepReport& report);
  void settle(LateStep& late);
  // The step before, if it is not settled and decides how this one is scaled.
  void settle_last();
  // The same from within the step; what it throws is kept for the next settle_last().
  void settle_last_or_wait();
  // Throws NonFiniteError that names what is not finite first.
  [[noreturn]] void fail(const StepReport& report) const;
  void update_weights(const StepReport& report, std::int64_t step);

  Model& model_;
  const Objective& objective_;
  FlatParameters& parameters_;
  Optimizer& optimizer_;
  GradientReducer& reducer_;
  StepOptions options_;
  LossScale loss_scale_;
  Group pipeline_;                       // on the backend
  Tensor factor_;                        // of gradients, where the device makes it; fp64 [1]
  std::shared_ptr<LateStep> unsettled_;  // with a scaled loss
  std::exception_ptr failure_;           // of the step before
  Program program_;                      // of the last step
};

}  // namespace ty
