#include "launch/run/model_setup.h"

#include "core/base/error.h"
#include "launch/process/failure.h"
#include "launch/run/stages.h"
#include "models/huggingface/model_tensors.h"

namespace ty {

namespace {
constexpr std::int64_t kByteIds = 257;  // of the bytes tokenizer: all bytes and the end of text
}  // namespace

void check_device(DeviceChoice device) {
  if (device != DeviceChoice::cuda) return;
  throw ConfigError(Key{"run.device"}, "cuda is not part of this build; use cpu or auto");
}

std::unique_ptr<Backend> make_backend(DeviceChoice device, Reduction reduction) {
  check_device(device);
  return make_cpu_backend(reduction == Reduction::canonical ? Products::fixed : Products::fastest);
}

void check_vocab(const ModelSpec& spec, const Path& directory, std::int64_t vocab) {
  if (vocab <= spec.vocab) return;
  throw DataError("{}: vocab_size {} is smaller than the tokenizer's {}",
                  (directory / "config.json").string(), spec.vocab, vocab);
}

ModelSpec resolve_model(const JobConfig& job, std::int64_t vocab) {
  ModelSpec config;
  if (!job.model.from.empty()) {
    config = read_model_config(job.model.from);
    check_vocab(config, job.model.from, vocab);
  } else {
    const ModelSection& m = job.model;
    config = {.family = m.family,
              .layers = m.layers,
              .width = m.width,
              .heads = m.heads,
              .inner = m.inner,
              .context = m.context,
              .vocab = m.vocab != 0 ? m.vocab : vocab,
              .tied = m.tied,
              .activation = m.activation,
              .linear = job.linear};
    if (vocab > config.vocab) {
      throw ConfigError(Key{"model.vocab"}, "{} is smaller than the tokenizer's {}", config.vocab,
                        vocab);
    }
  }
  if (job.model.dropout) config.dropout = DropoutRates::all(*job.model.dropout);
  if (job.data.sequence > config.context) {
    throw ConfigError(Key{"data.sequence"}, "{} is longer than the model's context {}",
                      job.data.sequence, config.context);
  }
  return config;
}

namespace {

// The tokenizer's size as far as it is known before data is read: bpe may find fewer pairs than it
// is to learn. 0: unknown, or none.
std::int64_t known_vocab(const TokenizerSection& tokenizer) {
  if (!tokenizer.from.empty()) {
    return at_key("tokenizer.from", [&] { return load_tokenizer(tokenizer.from)->vocab_size(); });
  }
  return tokenizer.kind == TokenizerKind::bytes ? kByteIds : 0;
}

// A size for what only the data tells.
std::int64_t assumed_vocab(const JobConfig& job, std::int64_t of_chars) {
  const bool is_stated = job.model.vocab != 0 || !job.model.from.empty();
  const std::int64_t known = known_vocab(job.tokenizer);
  if (is_stated || known != 0 || !job.tokenizer.kind) return known;
  return job.tokenizer.kind == TokenizerKind::bpe ? job.tokenizer.vocab : of_chars;
}

}  // namespace

ModelSpec planned_model(const JobConfig& job) {
  const ModelSpec config = resolve_model(job, assumed_vocab(job, 0));
  if (config.vocab != 0) return config;
  throw ConfigError(Key{"model.vocab"},
                    "missing; a plan cannot count the characters of data.train");
}

ModelSpec declared_model(const JobConfig& job) {
  return resolve_model(job, assumed_vocab(job, kByteIds));
}

OpenedModel make_model(const JobConfig& job, const ModelSpec& spec, Backend& backend,
                       const Layout& layout) {
  const auto bucket = static_cast<std::int64_t>(job.parallel.bucket_mb * 1024 * 1024 / 4);
  return declare_model(spec, backend,
                       {.compute = job.precision.compute, .weights = job.precision.weights}, bucket,
                       layout.groups.stage.size(),
                       {.sharing = layout.sharing,
                        .partition = partition_of(job, spec, layout.mesh.shape().pipeline),
                        .stage = layout.mesh.at().pipeline,
                        .frozen = job.optim.freeze});
}

void set_initial_weights(const JobConfig& job, OpenedModel& model) {
  if (job.model.from.empty()) {
    model.parameters->initialise(static_cast<std::uint64_t>(job.run.seed));
  } else {
    load_weights(job.model.from, *model.parameters, model.spec);
  }
}

ReducerOptions reducer_options(const JobConfig& job) {
  return {.shard_optimizer = job.parallel.zero == 1, .reduction = job.parallel.reduction};
}

}  // namespace ty
