#include "launch/run/training_setup.h"

#include <algorithm>

#include "core/base/even_parts.h"
#include "launch/run/optim_rules.h"
#include "launch/run/stages.h"

namespace ty {

namespace {

// What options of single parameters need of all of them. The group is on the backend.
void prepare(Optimizer& optimizer, const OptimSection& optim, const ParameterStore& store,
             const Group& tensor) {
  const auto add_up = [tensor](const View& x) { tensor.all_reduce(x, ReduceOp::sum).wait(); };
  if (optim.product_decay) {
    const auto decays = [&optim](const Parameter& each) {
      return update_options(optim, each).product_decay > 0;
    };
    optimizer.decay_products(std::make_unique<ProductDecay>(store, decays, add_up));
  }
  if (optim.factor_steps == FactorSteps::bounded) {
    const auto is_bounded = [&optim](const Parameter& each) {
      return each.trainable && update_options(optim, each).is_bounded;
    };
    optimizer.bound_steps(std::make_unique<BoundedSteps>(store, is_bounded));
  }
  if (optim.factor_norm_cap) {
    const auto is_capped = [&optim](const Parameter& each) {
      return update_options(optim, each).max_norm > 0;
    };
    optimizer.cap_norms(std::make_unique<NormCap>(store, is_capped, add_up));
  }
}

std::unique_ptr<Optimizer> make_optimizer(const OptimSection& optim, FlatParameters& parameters,
                                          const std::vector<Piece>& pieces) {
  const OptionsOf options_of = [&optim](const Parameter& parameter) {
    return update_options(optim, parameter);
  };
  if (optim.name == OptimizerKind::sgd) {
    return make_sgd(parameters, pieces, options_of, {.momentum = optim.momentum});
  }
  return make_adamw(parameters, pieces, options_of,
                    {.beta1 = optim.betas[0], .beta2 = optim.betas[1], .eps = optim.eps});
}

LossScale loss_scale(const PrecisionSection& precision) {
  if (precision.compute != DType::f16) return {};
  const std::optional<std::int64_t>& stated = precision.loss_scale.value;
  return LossScale(stated ? static_cast<double>(*stated) : LossScale::kFirst);
}

StepOptions step_options(const JobConfig& job, const Layout& layout) {
  const Range share = share_of_batch(job.data.batch, layout.groups.data);
  return {.micro_batches = micro_batches(job, share.count),
          .copies = copies_of_examples(job),
          .recompute = job.parallel.recompute,
          .reuse = job.parallel.reuse,
          .clip = job.optim.clip,
          .seed = static_cast<std::uint64_t>(job.run.seed),
          .schedule = {.kind = job.schedule.name,
                       .peak = job.optim.lr,
                       .floor = job.schedule.min_lr,
                       .warmup = job.schedule.warmup,
                       .steps = job.run.steps,
                       .decay = job.schedule.decay},
          .loss_scale = loss_scale(job.precision),
          .make_program = program_maker(job),
          .executor = {.order = execution_order(job), .team = layout.groups.tensor}};
}

}  // namespace

std::int64_t micro_batches(const JobConfig& job, std::int64_t sequences) {
  if (job.parallel.reduction == Reduction::canonical) return sequences;
  return std::min(job.parallel.microbatches, sequences);
}

std::int64_t micro_batch_sequences(const JobConfig& job, int data_ranks) {
  const std::int64_t sequences = even_part(job.data.batch, 0, data_ranks).count;
  const std::int64_t parts = micro_batches(job, sequences);
  return (sequences + parts - 1) / parts;
}

int copies_of_examples(const JobConfig& job) { return job.task.consistency > 0 ? 2 : 1; }

Range share_of_batch(std::int64_t batch, const Group& data) {
  return even_part(batch, data.rank(), data.size());
}

namespace {

std::unique_ptr<Objective> training_objective(const HeadSpec& head, const TaskSection& task) {
  auto objective = objective_of(head, task.terms);
  return task.consistency > 0 ? consistent(std::move(objective), task.consistency)
                              : std::move(objective);
}

}  // namespace

TrainingSetup::TrainingSetup(const JobConfig& job, const ModelSpec& config, Backend& backend,
                             const Layout& layout)
    : model(make_model(job, config, backend, layout)),
      objective(training_objective(config.head, job.task)),
      plain_loss(objective_of(config.head)),
      reducer(*model.parameters, layout.groups, reducer_options(job)),
      optimizer(make_optimizer(job.optim, *model.parameters, reducer.owned_pieces())),
      step(*model.model, *objective, *model.parameters, *optimizer, reducer,
           step_options(job, layout), layout.groups.pipeline.on(backend)) {
  prepare(*optimizer, job.optim, model.parameters->store(), layout.groups.tensor.on(backend));
}

}  // namespace ty
