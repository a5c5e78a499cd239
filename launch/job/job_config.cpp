#include "launch/job/job_config.h"

#include <algorithm>
#include <cctype>

#include "launch/job/limits.h"

namespace ty {

using config::at_least;
using config::between;
using config::Checks;
using config::Fields;
using config::items;
using config::positive;
using config::required;

namespace {

constexpr std::initializer_list<config::Named<DType>> kFloatTypes = {
    {"fp32", DType::f32}, {"bf16", DType::bf16}, {"fp16", DType::f16}, {"fp64", DType::f64}};

config::Rule one_of_families() {
  config::Rule rule;
  for (const Family& family : families()) rule.choices.emplace_back(family.name);
  return rule;
}

}  // namespace

void fields(Fields& f, RunSection& s) {
  f.field("name", s.name, "name of the run: letters, digits, '-', '_' and '.'");
  f.field("dir", s.dir, "run directory; null: runs/NAME under the working directory");
  f.field("seed", s.seed, "of initial weights, data order and dropout", at_least(0));
  f.field("steps", s.steps, "optimizer steps of the whole run; 0: only save the initial weights",
          between(0, kMostSteps));
  f.field("eval_every", s.eval_every, "steps between evaluations; 0: only at the end",
          between(0, kMostSteps));
  f.field("sample_every", s.sample_every, "steps between printed samples; 0: never",
          between(0, kMostSteps));
  f.field("device", s.device, "where to compute",
          {{"auto", DeviceChoice::automatic},
           {"cpu", DeviceChoice::cpu},
           {"cuda", DeviceChoice::cuda}});
  f.field("allow_changes", s.allow_changes,
          "a run that goes on may have another model, tokenizer, data, batch, seed or optimizer");
}

void check(const RunSection& s, Checks& checks) {
  const bool plain = std::all_of(s.name.begin(), s.name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (!plain || s.name.empty() || s.name[0] == '.') {
    checks.fail("name", "got {}; want letters, digits, '-', '_' and '.', as in my-run",
                config::shown(s.name, true));
  }
}

void fields(Fields& f, ModelSection& s) {
  f.field("from", s.from, "model directory to start from; null: random weights");
  f.when("from", s.from.empty(), "without from", [&] {
    f.field("family", s.family, "kind of model", one_of_families());
    f.field("layers", s.layers, "number of blocks", between(1, kMostLayers));
    f.field("width", s.width, "size of the residual stream", between(1, kMostWidth));
    f.field("heads", s.heads, "attention heads; divides width", between(1, kMostHeads));
    f.field("inner", s.inner, "width inside of the MLP; 0: 4 * width", between(0, kMostFeatures));
    f.field("context", s.context, "longest sequence in tokens", between(1, kLongestSequence));
    f.field("tied", s.tied, "whether the head reads the token table");
    f.field("activation", s.activation, "of the MLP",
            {{"gelu_tanh", UnaryOp::gelu_tanh},
             {"gelu_erf", UnaryOp::gelu_erf},
             {"gelu_fast", UnaryOp::gelu_tanh},
             {"quick_gelu", UnaryOp::quick_gelu},
             {"relu", UnaryOp::relu},
             {"silu", UnaryOp::silu},
             {"tanh", UnaryOp::tanh}});
    f.field("vocab", s.vocab, "number of token ids; 0: the tokenizer's", between(0, kMostTokenIds));
  });
  f.field(
      "dropout", s.dropout,
      "probability of embeddings, attention and residual branches; null: 0, or what from states",
      at_least(0).below(1));
}

void check(const ModelSection& s, Checks& checks) {
  if (!s.from.empty() || s.width % s.heads == 0) return;
  std::vector<std::string> valid;
  for (std::int64_t heads = 1; heads <= std::min<std::int64_t>(s.width, 256); ++heads) {
    if (s.width % heads == 0) valid.push_back(std::to_string(heads));
  }
  checks.fail("heads", "{} does not divide width = {}; valid: {}", s.heads, s.width,
              config::joined(valid));
}

void fields(Fields& f, TokenizerSection& s) {
  f.field("from", s.from, "directory with tokenizer files");
  f.when("from", s.from.empty(), "without from", [&] {
    f.field("kind", s.kind, "tokenizer made from data.train; null: the data is token ids already",
            {{"bytes", TokenizerKind::bytes},
             {"chars", TokenizerKind::chars},
             {"bpe", TokenizerKind::bpe}});
    f.when("kind", s.kind == TokenizerKind::bpe, "with kind: bpe", [&] {
      f.field("vocab", s.vocab, "number of token ids: bytes, the end of text, and what is merged",
              between(kSmallestBpeVocab, kMostTokenIds));
    });
  });
}

void fields(Fields& f, DataSection& s) {
  f.field("train", s.train, "training text (.txt, .jsonl, .tsv) or token ids (.bin)");
  f.field("valid", s.valid, "the same for evaluation");
  f.field("sequence", s.sequence, "tokens per sequence; at most model.context",
          between(1, kLongestSequence));
  f.field("batch", s.batch, "sequences per optimizer step, all ranks and micro-batches together",
          between(1, kMostSequences));
  f.field("text_key", s.text_key, "key of the text in each object of a .jsonl file");
  f.field("column", s.column, "column of the text in a .tsv file, counted from 0",
          between(0, kMostColumns));
  f.field(
      "header", s.header,
      "whether the first line of a .tsv file names its columns; auto: by content",
      {{"auto", TsvHeader::automatic}, {"true", TsvHeader::present}, {"false", TsvHeader::absent}});
}

void fields(Fields& f, OptimSection& s) {
  f.field("name", s.name, "optimizer",
          {{"adamw", OptimizerKind::adamw}, {"sgd", OptimizerKind::sgd}});
  f.field("lr", s.lr, "peak learning rate", positive());
  f.field("weight_decay", s.weight_decay, "decoupled from the gradient", at_least(0));
  f.field("no_decay", s.no_decay, "patterns of parameter names that do not decay");
  f.field("clip", s.clip, "limit of the global gradient norm; 0: none", at_least(0));
  f.when("name", s.name == OptimizerKind::adamw, "with name: adamw", [&] {
    f.field("betas", s.betas, "decay of the first and second moment",
            at_least(0).below(1).items(2));
    f.field("eps", s.eps, "added to the root of the second moment", positive());
  });
  f.when("name", s.name == OptimizerKind::sgd, "with name: sgd", [&] {
    f.field("momentum", s.momentum, "decay of the running gradient", at_least(0).below(1));
  });
}

void fields(Fields& f, ScheduleSection& s) {
  f.field("name", s.name, "how the learning rate goes on after warm-up",
          {{"constant", LearningRateKind::constant},
           {"linear", LearningRateKind::linear},
           {"cosine", LearningRateKind::cosine},
           {"wsd", LearningRateKind::wsd}});
  f.field("warmup", s.warmup, "steps of linear growth to optim.lr", between(0, kMostSteps));
  f.when("name", s.name != LearningRateKind::constant, "with a name other than constant",
         [&] { f.field("min_lr", s.min_lr, "learning rate of the last step", at_least(0)); });
  f.when("name", s.name == LearningRateKind::wsd, "with name: wsd", [&] {
    f.field("decay", s.decay, "steps of the final decay to min_lr", between(0, kMostSteps));
  });
}

void fields(Fields& f, ParallelSection& s) {
  f.field("data", s.data, "ranks that share a batch; auto: those that are left",
          between(1, kMostRanks));
  f.field("tensor", s.tensor, "ranks that share each layer", between(1, kMostRanks));
  f.field("sequence", s.sequence,
          "whether tensor ranks keep only their own tokens between the layers that they share");
  f.field("pipeline", s.pipeline, "ranks that share the chain of layers", between(1, kMostRanks));
  f.field("microbatches", s.microbatches, "parts of a rank's batch that run one by one",
          between(1, kMostMicrobatches));
  f.field("recompute", s.recompute, "what is computed again in backward instead of being kept",
          {{"none", Recompute::none}, {"block", Recompute::block}});
  f.field(
      "reuse", s.reuse,
      "how long W of ttm layers is kept once made: within a pass, or over a step's micro-batches",
      {{"pass", WeightReuse::pass}, {"step", WeightReuse::step}});
  f.field("zero", s.zero, "1: each data rank keeps its share of the optimizer state only",
          between(0, 1));
  f.field("reduction", s.reduction,
          "canonical: the same bits for any number of data ranks and threads, up to a tenth slower",
          {{"fast", Reduction::fast}, {"canonical", Reduction::canonical}});
  f.field("bucket_mb", s.bucket_mb, "MiB of gradients that are reduced together",
          positive().at_most(kMostBucketMb));
}

void check(const ParallelSection& s, Checks& checks) {
  if (s.pipeline.value_or(1) != 1) {
    checks.fail("pipeline", "got {}; this version has no pipelines, want 1", *s.pipeline.value);
  }
  if (s.reuse == WeightReuse::step && s.reduction == Reduction::canonical) {
    checks.fail("reuse", "step adds up over micro-batches; reduction = canonical wants pass");
  }
}

void fields(Fields& f, PrecisionSection& s) {
  f.field("compute", s.compute, "type of activations and of the weights that are multiplied",
          kFloatTypes);
  f.field("weights", s.weights,
          "type in which the optimizer keeps the weights; 16-bit ones are rounded stochastically",
          kFloatTypes);
}

void check(const PrecisionSection& s, Checks& checks) {
  if (s.compute == DType::f16) {
    checks.fail("compute",
                "got fp16, whose gradients want loss scaling, which this version does not have; "
                "want bf16, fp32 or fp64");
  }
}

void fields(Fields& f, CheckpointSection& s) {
  f.field("every", s.every, "steps between checkpoints; 0: only at the end",
          between(0, kMostSteps));
  f.field("keep", s.keep, "newest checkpoints that are kept", between(1, kMostSteps));
}

void fields(Fields& f, LogSection& s) {
  f.field("every", s.every, "steps between lines in metrics.jsonl", between(1, kMostSteps));
  f.field("tensorboard", s.tensorboard,
          "whether events/ of the run directory is written, which TensorBoard shows");
}

void fields(Fields& f, JobConfig& job) {
  f.field("run", job.run, "what runs and where");
  f.field("model", job.model, "architecture or model directory");
  f.field("linear", job.linear, "kind of each linear layer; the last rule that matches wins");
  f.field("tokenizer", job.tokenizer, "how text becomes token ids");
  f.field("data", job.data, "what is learned from");
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
  if (model.from.empty()) {
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
  if (ranks > data.batch || parts > data.batch / ranks || data.batch % (ranks * parts) != 0) {
    checks.fail("data.batch",
                "{} is no multiple of parallel.data = {} times parallel.microbatches = {}",
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
  return loaded;
}

JobConfig load_job(const std::filesystem::path& file, const config::Overrides& overrides) {
  return load_job_with_origins(file, overrides).value;
}

}  // namespace ty
