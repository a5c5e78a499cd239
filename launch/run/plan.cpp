#include "launch/run/plan.h"

#include "core/backend/dry/dry_backend.h"
#include "launch/run/stages.h"
#include "launch/run/training_setup.h"
#include "models/huggingface/model_directory.h"
#include "models/objective/chunked_loss.h"

namespace ty {

namespace {

// Numbers in the whole model.
std::int64_t count_whole(const ModelSpec& spec) {
  return Model(describe_model(spec), LinearRules(spec.linear)).parameters().count();
}

}  // namespace

Plan make_plan(const JobConfig& job, const ModelSpec& config, int ranks, int stage) {
  DryBackend backend;
  const Layout layout = make_phantom_layout(job, ranks, stage, backend);
  const Group& data = layout.mesh.data();
  TrainingSetup setup(job, config, backend, layout);
  const Range share = share_of_batch(job.data.batch, data);
  const std::vector<std::int32_t> ids(static_cast<std::size_t>(share.count * job.data.sequence));
  const HostBatch batch = token_batch(0, share.count, ids, ids);
  const std::int64_t parts = micro_batches(job, share.count);
  backend.reset_counts();
  const Traffic before = traffic_of(layout);
  setup.step.run(batch, 0);
  return {
      .mesh = layout.mesh.shape(),
      .stage = stage,
      .blocks = partition_of(job, config, layout.mesh.shape().pipeline).of(stage, 0),
      .parameters = count_whole(config),
      .memory = backend.memory().stats(),
      .matrix_flops = backend.counts().matrix_flops,
      .bytes_moved = backend.counts().bytes,
      .traffic = traffic_since(before, traffic_of(layout)),
      .tokens = static_cast<double>(job.data.batch * job.data.sequence),
      .linear =
          Model(describe_model(config), LinearRules(config.linear), layout.sharing).linear_sites(),
      .tokens_per_pass = share.count * job.data.sequence / parts,
      .reuses_weights = job.parallel.reuse == WeightReuse::step && parts > 1};
}

MemoryStats plan_inference(const ModelSpec& spec, DType dtype, std::int64_t sequences,
                           std::int64_t length) {
  const NoGrad no_grad;
  DryBackend backend;
  const OpenedModel declared = declare_model(spec, backend, only_run(dtype));
  const std::vector<std::int32_t> ids(static_cast<std::size_t>(sequences * length));
  const Batch batch = upload(backend, token_batch(0, sequences, ids, ids), 0, sequences);
  const Model& model = *declared.model;
  total_loss(model, *cross_entropy_objective(), model.forward({.batch = batch}), batch);
  return backend.memory().stats();
}

double estimate_step_seconds(const Plan& plan, double gemm_rate, double bandwidth) {
  return plan.matrix_flops / gemm_rate + plan.bytes_moved / bandwidth;
}

}  // namespace ty
