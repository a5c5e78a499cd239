#include "launch/run/plan.h"

#include "core/backend/dry/dry_backend.h"
#include "launch/run/stages.h"
#include "launch/run/training_setup.h"
#include "models/huggingface/model_directory.h"
#include "models/objective/chunked_loss.h"
#include "models/transformer/pipeline_forward.h"
#include "parallel/comm/phantom/phantom.h"

namespace ty {

namespace {

// What a dry backend and a layout have counted.
class WorkMeter {
 public:
  WorkMeter(DryBackend& backend, const Layout& layout) : backend_(backend), layout_(layout) {}

  // Since the last call, or since this was made.
  StepWork take() {
    const StepWork now = count();
    const StepWork since = {now.flops - last_.flops, now.bytes - last_.bytes,
                            now.calls - last_.calls, now.sent_bytes - last_.sent_bytes};
    last_ = now;
    return since;
  }

 private:
  // Messages between stages are not waited for by the one that sends them.
  StepWork count() const {
    StepWork work = {backend_.counts().matrix_flops, backend_.counts().bytes};
    for (const TrafficRow& row : traffic_of(layout_)) {
      if (row.call == CommCall::send || row.call == CommCall::receive) continue;
      work.calls += row.counts.bytes > 0 ? static_cast<double>(row.counts.calls) : 0.0;
      work.sent_bytes += static_cast<double>(row.counts.bytes);
    }
    return work;
  }

  DryBackend& backend_;
  const Layout& layout_;
  StepWork last_ = count();
};

void add(StepWork& sum, const StepWork& work, double times) {
  sum.flops += work.flops * times;
  sum.bytes += work.bytes * times;
  sum.calls += work.calls * times;
  sum.sent_bytes += work.sent_bytes * times;
}

StepWork& work_of(ChunkWork& chunk, Action::Kind kind) {
  return kind == Action::Kind::forward     ? chunk.forward
         : kind == Action::Kind::recompute ? chunk.recompute
                                           : chunk.backward;
}

// Numbers in the whole model.
std::int64_t count_whole(const ModelSpec& spec) {
  return Model(describe_model(spec), LinearRules(spec.linear)).parameters().count();
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

}  // namespace

Plan make_plan(const JobConfig& stated, const ModelSpec& config, int ranks, int stage) {
  JobConfig job = stated;
  job.parallel.work_conserving = false;
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
  const Partition partition = partition_of(job, config, layout.mesh.shape().pipeline);
  std::vector<ChunkWork> chunks(static_cast<std::size_t>(partition.chunks()));
  WorkMeter meter(backend, layout);
  std::int64_t actions = 0;
  setup.step.observe([&](const Span& span) {
    ++actions;
    ChunkWork& chunk = chunks[static_cast<std::size_t>(span.action.chunk)];
    add(work_of(chunk, span.action.kind), meter.take(), 1.0 / static_cast<double>(parts));
  });
  setup.step.run(batch, 0);
  std::vector<BlockRange> blocks;
  for (int chunk = 0; chunk < partition.chunks(); ++chunk) {
    blocks.push_back(partition.of(stage, chunk));
  }
  Traffic traffic = traffic_since(before, traffic_of(layout));
  if (stated.parallel.work_conserving) add_choices(traffic, layout, actions);
  const Shape flow =
      setup.model.model->flow_shape(micro_batch_sequences(job, data.size()), job.data.sequence);
  return {
      .mesh = layout.mesh.shape(),
      .stage = stage,
      .blocks = std::move(blocks),
      .chunks = std::move(chunks),
      .after_actions = meter.take(),
      .message_bytes = static_cast<double>(
          flow.numel() * static_cast<std::int64_t>(size_of(job.precision.compute))),
      .parameters = count_whole(config),
      .memory = backend.memory().stats(),
      .matrix_flops = backend.counts().matrix_flops,
      .bytes_moved = backend.counts().bytes,
      .traffic = std::move(traffic),
      .tokens = static_cast<double>(job.data.batch * job.data.sequence),
      .linear =
          Model(describe_model(config), LinearRules(config.linear), layout.sharing).linear_sites(),
      .tokens_per_pass = share.count * job.data.sequence / parts,
      .reuses_weights = job.parallel.reuse == WeightReuse::step && parts > 1};
}

MemoryStats plan_inference(const ModelSpec& spec, DType dtype, std::int64_t sequences,
                           std::int64_t length, const MeshShape& mesh) {
  const NoGrad no_grad;
  DryBackend backend;
  const Group pipeline(std::make_shared<PhantomCommunicator>(0, mesh.pipeline));
  ModelPart part;
  part.sharing.tensor = Group(std::make_shared<PhantomCommunicator>(0, mesh.tensor)).on(backend);
  part.partition = even_partition(spec, {.stages = mesh.pipeline}, spec.context);
  const OpenedModel declared = declare_model(spec, backend, only_run(dtype), 1, 1, part);
  const std::vector<std::int32_t> ids(static_cast<std::size_t>(sequences * length));
  const Batch batch = upload(backend, token_batch(0, sequences, ids, ids), 0, sequences);
  const Model& model = *declared.model;
  const Flow out = forward_through(model, pipeline.on(backend), {.batch = batch});
  if (model.has_readout()) total_loss(model, *cross_entropy_objective(), out, batch);
  return backend.memory().stats();
}

}  // namespace ty
