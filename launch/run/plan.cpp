#include "launch/run/plan.h"

#include "core/backend/dry/dry_backend.h"
#include "launch/run/training_setup.h"
#include "parallel/comm/phantom/phantom.h"

namespace ty {

Plan make_plan(const JobConfig& job, const Gpt2Config& config, int ranks) {
  DryBackend backend;
  const Group data(std::make_shared<PhantomCommunicator>(0, ranks));
  TrainingSetup setup(job, config, backend, data);
  const Range share = share_of_batch(job.data.batch, data);
  HostBatch batch{.first_sample = 0,
                  .sequences = share.count,
                  .length = job.data.sequence,
                  .inputs = {},
                  .targets = {}};
  batch.inputs.resize(static_cast<std::size_t>(share.count * job.data.sequence));
  batch.targets = batch.inputs;
  backend.reset_counts();
  setup.step.run(batch, 0);
  return {.ranks = ranks,
          .parameters = setup.model.model->parameters().count(),
          .memory = backend.memory().stats(),
          .matrix_flops = backend.counts().matrix_flops,
          .bytes_moved = backend.counts().bytes,
          .reduced_bytes =
              ranks == 1 ? 0.0
                         : static_cast<double>(setup.model.parameters->gradients().view().bytes()),
          .tokens = static_cast<double>(job.data.batch * job.data.sequence),
          .linear = setup.model.model->linear_sites(),
          .tokens_per_pass = share.count * job.data.sequence / job.parallel.microbatches,
          .shares_maps = job.parallel.reuse == WeightReuse::step && job.parallel.microbatches > 1};
}

double estimate_step_seconds(const Plan& plan, double gemm_rate, double bandwidth) {
  return plan.matrix_flops / gemm_rate + plan.bytes_moved / bandwidth;
}

}  // namespace ty
