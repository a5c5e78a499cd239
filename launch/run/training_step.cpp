#include "launch/run/training_step.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "models/objective/chunked_loss.h"

namespace ty {

namespace {

// Of each target in the mean over a global batch of so many.
double weight_of(double targets) { return 1.0 / std::max(targets, 1.0); }

}  // namespace

TrainingStep::TrainingStep(Model& model, const Objective& objective, FlatParameters& parameters,
                           Optimizer& optimizer, GradientReducer& reducer, StepOptions options)
    : model_(model),
      objective_(objective),
      parameters_(parameters),
      optimizer_(optimizer),
      reducer_(reducer),
      options_(options) {}

StepReport TrainingStep::run(const HostBatch& batch, std::int64_t step) {
  // On its way while the first forward runs; wanted where backward begins.
  PendingSum tokens = reducer_.start_sum(static_cast<double>(objective_.targets(batch)));
  parameters_.clear_gradients();
  const std::int64_t parts = std::min(options_.micro_batches, batch.sequences);
  const bool shared = options_.reuse == WeightReuse::step && parts > 1;
  if (shared) model_.begin_step();
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t first = i * batch.sequences / parts;
    const std::int64_t last = (i + 1) * batch.sequences / parts;
    BackwardOptions options = reducer_.backward_options(i, parts);
    options.release_shared = i + 1 == parts;
    reducer_.add_loss(i, parts, run_micro_batch(batch, first, last - first, step, tokens, options));
    reducer_.micro_batch_done(i, parts);
  }
  if (shared) model_.end_step();
  reducer_.finish();
  StepReport report;
  report.tokens = tokens.wait();
  report.loss = reducer_.sum_losses() * weight_of(report.tokens);
  report.gradient_norm = reducer_.gradient_norm();
  if (!std::isfinite(report.loss) || !std::isfinite(report.gradient_norm)) {
    const std::string culprit = parameters_.first_non_finite_weight();
    if (!culprit.empty())
      throw NonFiniteError("loss {}: weight {} is not finite", report.loss, culprit);
    throw NonFiniteError(
        "loss {} and gradient norm {}{}, all weights are finite; lower optim.lr or resume from an "
        "earlier checkpoint",
        report.loss, report.gradient_norm, reducer_.first_non_finite());
  }
  report.learning_rate = learning_rate(options_.schedule, step);
  optimizer_.step({.learning_rate = report.learning_rate,
                   .gradient_scale = clip_factor(report.gradient_norm, options_.clip),
                   .step = step + 1,
                   .seed = options_.seed});
  reducer_.share_weights();
  return report;
}

Tensor TrainingStep::run_micro_batch(const HostBatch& batch, std::int64_t first, std::int64_t count,
                                     std::int64_t step, PendingSum& tokens,
                                     const BackwardOptions& options) {
  const Batch part = upload(parameters_.backend(), batch, first, count);
  const ForwardContext context = {
      .batch = part, .training = true, .seed = options_.seed, .step = step};
  Flow out = model_.forward(context, options_.recompute);
  return backward_from_loss(model_, objective_, std::move(out), part, weight_of(tokens.wait()),
                            options);
}

}  // namespace ty
