#include "launch/job/job_config.h"

#include "launch/job/limits.h"

namespace ty {

using config::Checks;
using config::Fields;

void fields(Fields& f, JobConfig& job) {
  f.field("run", job.run, "what runs and where");
  f.field("model", job.model, "architecture or model directory");
  f.field("linear", job.linear, "kind of each linear layer; the last rule that matches wins");
  f.field("adapters", job.adapters,
          "what is trained beside linear layers, which are frozen then; the last rule that matches "
          "wins");
  f.field("strategy", job.strategy,
          "phases that make the model of model.from smaller: layers are cut, then it is tuned");
  f.field("tokenizer", job.tokenizer, "how text becomes token ids");
  f.field("data", job.data, "what is learned from");
  f.field("task", job.task, "what is learned, by which loss");
  f.field("optim", job.optim, "the optimizer");
  f.field("schedule", job.schedule, "learning rate over the steps");
  f.field("parallel", job.parallel, "how ranks share the work");
  f.field("precision", job.precision, "number formats");
  f.field("checkpoint", job.checkpoint, "saving");
  f.field("log", job.log, "metrics");
}

void check(const JobConfig& job, Checks& checks) {
  const ModelSection& model = job.model;
  const DataSection& data = job.data;
  if (model.from.empty() && !job.task.reads_images()) {
    if (data.sequence > model.context) {
      checks.fail("data.sequence", "{} is longer than model.context = {}", data.sequence,
                  model.context);
    }
    if (model.vocab == 0 && !job.tokenizer.kind && job.tokenizer.from.empty()) {
      checks.fail("model.vocab", "missing; state it, or tokenizer.kind, or tokenizer.from");
    }
  }
  if (!model.from.empty() && !job.linear.empty()) {
    checks.fail("linear",
                "model.from says what its linear layers are made of; remove one of them "
                "(trainyard compress changes a model's kinds)");
  }
  if (job.tokenizer.kind && *job.tokenizer.kind != TokenizerKind::bytes && data.train.empty()) {
    checks.fail("tokenizer.kind", "is made from data.train, which is missing");
  }
  if (job.parallel.transport == Transport::nccl && job.run.device == DeviceChoice::cpu) {
    checks.fail("parallel.transport",
                "nccl is for run.device: cuda, which is cpu; want auto or mpi");
  }
  if (!job.strategy.empty() && model.from.empty()) {
    checks.fail("strategy", "makes a trained model smaller; state model.from");
  }
  for (std::size_t i = 0; i < job.strategy.size(); ++i) {
    if (job.schedule.warmup + job.schedule.decay <= job.strategy[i].steps) continue;
    checks.fail(fmt::format("strategy[{}].steps", i),
                "{} are fewer than schedule.warmup = {} and schedule.decay = {} together",
                job.strategy[i].steps, job.schedule.warmup, job.schedule.decay);
  }
  const bool stops_early = job.run.early_stop.patience > 0;
  if ((stops_early || job.checkpoint.best) && (job.run.eval_every == 0 || data.valid.empty())) {
    checks.fail(stops_early ? "run.early_stop.patience" : "checkpoint.best",
                "compares evaluations; wants run.eval_every and data.valid");
  }
  if (job.schedule.warmup > job.run.steps) {
    checks.fail("schedule.warmup", "{} is more than run.steps = {}", job.schedule.warmup,
                job.run.steps);
  } else if (job.schedule.decay > job.run.steps - job.schedule.warmup) {
    checks.fail("schedule.decay", "{} after {} steps of warm-up is more than run.steps = {}",
                job.schedule.decay, job.schedule.warmup, job.run.steps);
  }
  if (job.schedule.min_lr > job.optim.lr) {
    checks.fail("schedule.min_lr", "{} is more than optim.lr = {}", job.schedule.min_lr,
                job.optim.lr);
  }
  if (data.batch * data.sequence > kMostStepTokens) {
    checks.fail("data.batch",
                "{} sequences of data.sequence = {} are more than the {} tokens that "
                "a step may have",
                data.batch, data.sequence, kMostStepTokens);
  }
  const std::int64_t ranks = job.parallel.data.value_or(1);
  const std::int64_t parts = job.parallel.microbatches;
  if (ranks > data.batch || parts > data.batch / ranks) {
    checks.fail("data.batch",
                "{} sequences are fewer than parallel.data = {} times parallel.microbatches = {}",
                data.batch, ranks, parts);
  }
}

config::Loaded<JobConfig> load_job_with_origins(const std::filesystem::path& file,
                                                const config::Overrides& overrides) {
  auto loaded = config::load<JobConfig>(file, overrides);
  RunSection& run = loaded.value.run;
  if (run.dir.empty()) run.dir = std::filesystem::absolute("runs") / run.name;
  ModelSection& model = loaded.value.model;
  if (model.from.empty() && !model.dropout) model.dropout = 0.0;
  const Family* family = find_family(model.family);
  if (model.from.empty() && family != nullptr && !model.activation) {
    model.activation = family->start.activation;
  }
  return loaded;
}

JobConfig load_job(const std::filesystem::path& file, const config::Overrides& overrides) {
  return load_job_with_origins(file, overrides).value;
}

}  // namespace ty
