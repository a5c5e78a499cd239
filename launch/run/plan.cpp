#include "launch/run/plan.h"

#include "core/backend/dry/dry_backend.h"
#include "launch/run/shared_model.h"
#include "launch/run/training_setup.h"
#include "models/huggingface/model_directory.h"
#include "models/linear/adapters.h"
#include "models/linear/guides.h"
#include "models/objective/chunked_loss.h"
#include "models/transformer/model_batch.h"
#include "models/transformer/pipeline_forward.h"
#include "parallel/comm/phantom/phantom.h"

namespace ty {

namespace {

std::vector<BlockRange> blocks_of(const Model& model) {
  std::vector<BlockRange> blocks;
  for (int chunk = 0; chunk < model.chunks(); ++chunk) blocks.push_back(model.blocks(chunk));
  return blocks;
}

// Of what enters the second block, like which all borders are.
double message_bytes(const JobConfig& job, const Model& model, int data_ranks,
                     const HostBatch& batch) {
  double numbers = 0;
  for (const Shape& shape : model.shapes_entering_block(
           1, micro_batch_sequences(job, data_ranks) * copies_of_examples(job),
           lengths_in(batch))) {
    numbers += static_cast<double>(shape.numel());
  }
  return numbers * static_cast<double>(size_of(job.precision.compute));
}

// A work-conserving run keeps as much alive as the listed one at most, which is therefore planned;
// besides, tensor ranks agree on every action.
void add_choices(Traffic& traffic, const Layout& layout, std::int64_t actions) {
  if (layout.mesh.tensor().size() == 1) return;
  for (TrafficRow& row : traffic) {
    if (row.axis != "tensor" || row.call != CommCall::broadcast) continue;
    row.counts.calls += actions;
    row.counts.bytes += actions * kChoiceBytes;
  }
}

bool chooses_what_is_trained(const JobConfig& job, const ModelSpec& config) {
  const OptimSection& optim = job.optim;
  return !optim.freeze.empty() || !optim.train.empty() || !optim.rules.empty() ||
         optim.factor_rates != FactorRates::equal || optim.product_decay || optim.factor_norm_cap ||
         optim.factor_steps != FactorSteps::free || have_adapters(config.linear);
}

void add_what_is_trained(Plan& plan, const JobConfig& job, const ModelSpec& config) {
  if (!chooses_what_is_trained(job, config)) return;
  const Model whole(describe_model(config), LinearRules(config.linear));
  plan.updates = update_groups(job.optim, whole.parameters());
  plan.shares = trained_shares(job, whole.parameters(), whole.linear_sites());
}

}  // namespace

Plan make_plan(const JobConfig& stated, const ModelSpec& config, int ranks, int stage) {
  JobConfig job = stated;
  job.parallel.work_conserving = false;
  DryBackend backend;
  const Layout layout = make_phantom_layout(job, ranks, stage, backend);
  TrainingSetup setup(job, config, backend, layout);
  const std::int64_t sequences = share_of_batch(job.data.batch, layout.mesh.data()).count;
  const std::int64_t parts = micro_batches(job, sequences);
  const Model& model = *setup.model.model;
  const HostBatch batch = model_batch(config, sequences, job.data.sequence);
  backend.reset_counts();
  const Traffic before = traffic_of(layout);
  WorkMeter meter(backend, layout, setup.step, model.chunks(), parts);
  setup.step.run(batch, 0);
  Traffic traffic = traffic_since(before, traffic_of(layout));
  if (stated.parallel.work_conserving) add_choices(traffic, layout, meter.actions());
  Plan plan = {.mesh = layout.mesh.shape(),
               .stage = stage,
               .blocks = blocks_of(model),
               .chunks = meter.chunks(),
               .after_actions = meter.rest(),
               .message_bytes = message_bytes(job, model, layout.mesh.data().size(), batch),
               .parameters = setup.model.whole_count,
               .trained = setup.model.trained_count,
               .memory = backend.memory().stats(),
               .matrix_flops = backend.counts().matrix_flops,
               .traffic = std::move(traffic),
               .tokens = static_cast<double>(job.data.batch * job.data.sequence),
               .linear = setup.model.linear_sites,
               .tokens_per_pass = sequences * copies_of_examples(job) * job.data.sequence / parts,
               .reuses_weights = job.parallel.reuse == WeightReuse::step && parts > 1};
  add_what_is_trained(plan, job, config);
  // In the first step all layers draw their guides, then none does: some peak between.
  if (const std::int64_t last = last_draw(config.linear); last > 0) {
    setup.step.run(batch, last);
    plan.memory = backend.memory().stats();
  }
  return plan;
}

MemoryStats plan_inference(const ModelSpec& spec, DType dtype, std::int64_t sequences,
                           std::int64_t length, const MeshShape& mesh) {
  const NoGrad no_grad;
  DryBackend backend;
  const Mesh phantom(Group(std::make_shared<PhantomCommunicator>(0, mesh.size())), mesh);
  const OpenedModel declared =
      declare_model(spec, backend, only_run(dtype), 1, 1, part_to_run(spec, phantom, backend));
  const Batch batch = upload(backend, model_batch(spec, sequences, length), 0, sequences);
  const Model& model = *declared.model;
  // The second finds what the first has left: masks of what is not trained.
  for (int pass = 0; pass < 2; ++pass) {
    const Flow out = forward_through(model, phantom.pipeline().on(backend), {.batch = batch});
    if (model.has_readout()) total_loss(model, *objective_of(spec.head), out, batch);
  }
  return backend.memory().stats();
}

}  // namespace ty
