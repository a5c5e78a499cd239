#include "launch/run/training_step.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/backend/device_queue.h"
#include "core/base/error.h"
#include "launch/run/model_stage.h"

namespace ty {

namespace {

// Of each target in the mean over a global batch of so many.
double weight_of(double targets) { return 1.0 / std::max(targets, 1.0); }

// What a step's gradients were multiplied by.
double scale_of(const StepReport& report) {
  return report.loss_scale > 0.0 ? report.loss_scale : 1.0;
}

DeviceQueue* queue_of(Backend& backend) { return dynamic_cast<DeviceQueue*>(&backend); }

}  // namespace

TrainingStep::TrainingStep(Model& model, const Objective& objective, FlatParameters& parameters,
                           Optimizer& optimizer, GradientReducer& reducer, StepOptions options,
                           const Group& pipeline)
    : model_(model),
      objective_(objective),
      parameters_(parameters),
      optimizer_(optimizer),
      reducer_(reducer),
      options_(std::move(options)),
      loss_scale_(options_.loss_scale),
      pipeline_(pipeline) {}

PendingStep TrainingStep::start(const HostBatch& batch, std::int64_t step) {
  return options_.copies == 2 ? start_copies(twice(batch), step) : start_copies(batch, step);
}

PendingStep TrainingStep::start_copies(const HostBatch& batch, std::int64_t step) {
  // On its way while the first forward runs; wanted where backward begins.
  PendingSum tokens = reducer_.start_sum(static_cast<double>(objective_.targets(batch)));
  parameters_.clear_gradients();
  run_micro_batches(batch, step, tokens);
  reducer_.finish();
  StepReport report;
  report.tokens = tokens.wait() / batch.copies;
  report.learning_rate = learning_rate(options_.schedule, step);
  const bool is_queued = queue_of(parameters_.backend()) != nullptr;
  if (is_queued && reducer_.has_sums_on_device()) return finish_late(report, step);
  report.loss_scale = loss_scale_.state().scale;
  // Where the device is behind, the host waits for it once: for the norm, which comes after the
  // loss.
  PendingLoss loss = reducer_.start_losses();
  report.gradient_norm = reducer_.gradient_norm() / scale_of(report);
  report.loss = loss.wait() * weight_of(report.tokens * options_.copies);
  judge(report);
  if (!report.skipped) update_weights(report, step);
  return PendingStep(report);
}

// What judge() decides on the host, the device decides: a factor that is not a number forbids this
// update and those to come, on all ranks alike, since they make it from the same sums. Where the
// loss is scaled the host has judged the step before by then, so each step has a new factor.
PendingStep TrainingStep::finish_late(StepReport report, std::int64_t step) {
  Backend& backend = parameters_.backend();
  DeviceQueue& queue = *queue_of(backend);
  const StepSums sums = reducer_.sums_on_device();
  settle_last();
  report.loss_scale = loss_scale_.state().scale;
  if (!factor_.defined()) factor_ = Tensor::full(backend, {1}, DType::f64, 1.0);
  if (loss_scale_.is_used()) backend.fill(factor_.view(), 1.0);
  queue.clip_factor(factor_.view(), sums.squares.view(), sums.loss.view(), options_.clip,
                    scale_of(report));
  PendingStep pending(report);
  pending.late_ = std::make_shared<LateStep>(
      LateStep{*this, LateItem(sums.loss), LateItem(sums.squares), report});
  if (loss_scale_.is_used()) unsettled_ = pending.late_;
  queue.scale_updates(factor_.view());
  optimizer_.step({.learning_rate = report.learning_rate,
                   .step = step + 1 - loss_scale_.state().skipped_steps,
                   .seed = options_.seed});
  queue.scale_updates({});
  reducer_.share_weights();
  return pending;
}

StepReport PendingStep::take() {
  if (late_ == nullptr) return report_;
  late_->step.settle(*late_);
  return late_->report;
}

void TrainingStep::settle(LateStep& late) {
  if (late.is_known) return;
  StepReport& report = late.report;
  report.loss = late.loss.value() * weight_of(report.tokens * options_.copies);
  report.gradient_norm = std::sqrt(late.squares.value()) / scale_of(report);
  judge(report);
  late.is_known = true;
}

void TrainingStep::settle_last() {
  if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
  if (unsettled_ != nullptr) settle(*std::exchange(unsettled_, nullptr));
}

// Other stages wait for this one's gradients: all fail together, once those are sent.
void TrainingStep::settle_last_or_wait() {
  try {
    settle_last();
  } catch (const NonFiniteError&) {
    failure_ = std::current_exception();
  }
}

void TrainingStep::run_micro_batches(const HostBatch& batch, std::int64_t step,
                                     PendingSum& tokens) {
  const std::int64_t parts = std::min(options_.micro_batches, batch.sequences / batch.copies);
  program_ = options_.make_program({.stages = model_.stages(),
                                    .micro_batches = static_cast<int>(parts),
                                    .chunks = model_.chunks(),
                                    .recompute = options_.recompute == Recompute::stage});
  const StepContext context = {.batch = batch,
                               .step = step,
                               .seed = options_.seed,
                               .recompute = options_.recompute,
                               .weight = [&] {
                                 settle_last_or_wait();
                                 return weight_of(tokens.wait()) * loss_scale_.factor();
                               }};
  reducer_.begin_step(parts);
  ModelStage stage(model_, objective_, parameters_, reducer_, program_, context);
  const bool shared = options_.reuse == WeightReuse::step && parts > 1;
  if (shared) model_.begin_step();
  execute(program_, stage, pipeline_, parameters_.backend(), options_.executor);
  if (shared) model_.end_step();
}

// All ranks decide alike. The loss is a sum over the data ranks, and tensor ranks make it from the
// same sums. A gradient that is NaN or infinite on any rank leaves no sum over ranks finite that it
// enters, in whatever order it is taken, and sums of fp16's numbers stay far below what fp32 holds.
// So after the reduction the ranks that hold the same gradient agree on whether it is finite, and
// so do all ranks about the norm: its squares are added in fp64, which holds the square of every
// fp32, and then over the ranks that hold other gradients.
void TrainingStep::judge(StepReport& report) {
  const bool is_loss_finite = std::isfinite(report.loss);
  const bool is_norm_finite = std::isfinite(report.gradient_norm);
  report.skipped = is_loss_finite && !is_norm_finite && loss_scale_.can_shrink();
  if (report.skipped) {
    loss_scale_.step_skipped();
  } else if (is_loss_finite && is_norm_finite) {
    loss_scale_.step_taken();
  } else {
    fail(report);
  }
  report.next_loss_scale = loss_scale_.state().scale;
}

void TrainingStep::fail(const StepReport& report) const {
  const std::string culprit = parameters_.first_non_finite_weight();
  if (!culprit.empty()) {
    throw NonFiniteError("loss {}: weight {} is not finite", report.loss, culprit);
  }
  const std::string scale =
      loss_scale_.is_used() ? fmt::format(" at loss scale {}", report.loss_scale) : "";
  throw NonFiniteError(
      "loss {} and gradient norm {}{}{}, all weights are finite; lower optim.lr or resume from an "
      "earlier checkpoint",
      report.loss, report.gradient_norm, reducer_.first_non_finite(), scale);
}

// Clips what the gradients are without their scale. Steps that were skipped do not count in the
// optimizer, whose moments have not seen them.
void TrainingStep::update_weights(const StepReport& report, std::int64_t step) {
  optimizer_.step(
      {.learning_rate = report.learning_rate,
       .gradient_scale = clip_factor(report.gradient_norm, options_.clip) / scale_of(report),
       .step = step + 1 - loss_scale_.state().skipped_steps,
       .seed = options_.seed});
  reducer_.share_weights();
}

}  // namespace ty
