#include "launch/run/model_setup.h"

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "launch/process/failure.h"
#include "launch/run/adapter_start.h"
#include "launch/run/model_path.h"
#include "launch/run/optim_rules.h"
#include "launch/run/stages.h"
#include "launch/run/task_data.h"
#include "models/families/family.h"
#include "models/huggingface/model_tensors.h"
#include "models/linear/adapters.h"

namespace ty {

namespace {
constexpr std::int64_t kByteIds = 257;  // of the bytes tokenizer: all bytes and the end of text
}  // namespace

void check_vocab(const ModelSpec& spec, const Path& directory, std::int64_t vocab) {
  if (vocab <= spec.vocab) return;
  throw DataError("{}: vocab_size {} is smaller than the tokenizer's {}",
                  (directory / "config.json").string(), spec.vocab, vocab);
}

namespace {

// Gives the model the head that the job's task wants. The layers that a directory's model has not
// for it are drawn.
void set_head(const JobConfig& job, ModelSpec& spec, std::int64_t labels) {
  if (job.model.head == HeadChoice::none) {
    spec.head = head_of_family(family_of(spec), HeadSpec::Kind::none);
    return;
  }
  const HeadSpec::Kind kind = job.task.head();
  const std::int64_t wanted = kind == HeadSpec::Kind::values ? 1 : labels;
  if (spec.head.kind == kind && (kind == HeadSpec::Kind::language || spec.head.labels == wanted)) {
    return;
  }
  spec.head = head_of_family(family_of(spec), kind);
  if (spec.head.is_pooled()) spec.head.labels = wanted;
}

ModelSpec new_model(const JobConfig& job, std::int64_t vocab) {
  const ModelSection& m = job.model;
  ModelSpec spec = find_family(m.family)->start;
  spec.family = m.family;
  spec.layers = m.layers;
  spec.width = m.width;
  spec.heads = m.heads;
  spec.inner = m.inner;
  spec.context = m.context;
  spec.vocab = m.vocab != 0 ? m.vocab : vocab;
  spec.tied = m.tied;
  if (m.activation) spec.activation = *m.activation;
  spec.linear = job.linear;
  if (spec.has_encoder()) spec.encoder_layers = m.encoder_layers != 0 ? m.encoder_layers : m.layers;
  spec.embedding_width = m.embedding_width;
  if (!spec.reads_images()) return spec;
  spec.image = {m.channels, m.image, m.patch};
  spec.context = spec.image_tokens();
  spec.vocab = 1;
  return spec;
}

// Families read images or texts.
void check_reads(const JobConfig& job, const ModelSpec& spec) {
  if (spec.reads_images() != job.task.reads_images()) {
    throw ConfigError(Key{"task.kind"}, "models of family {} read {}", spec.family,
                      spec.reads_images() ? "images; want image_classification" : "texts");
  }
  if (job.task.kind == TaskKind::seq2seq && !spec.has_encoder()) {
    throw ConfigError(Key{"task.kind"}, "seq2seq wants an encoder-decoder; {} is none",
                      spec.family);
  }
  if (job.task.kind == TaskKind::causal_lm && !spec.causal) {
    throw ConfigError(Key{"task.kind"},
                      "causal_lm wants a decoder; {} reads both ways: want "
                      "masked_lm, classification or regression",
                      spec.family);
  }
  if (job.task.kind == TaskKind::causal_lm && spec.has_encoder()) {
    throw ConfigError(Key{"task.kind"}, "causal_lm wants a decoder alone; for {} want seq2seq",
                      spec.family);
  }
  if (job.task.kind == TaskKind::masked_lm && spec.causal) {
    throw ConfigError(Key{"task.kind"},
                      "masked_lm wants an encoder; {} does not see what comes "
                      "later",
                      spec.family);
  }
}

// A plan is content with config.json.
ModelSpec described_model(const Path& directory) {
  for (const char* tensors : {"model.safetensors", "model.safetensors.index.json"}) {
    if (std::filesystem::exists(directory / tensors)) return read_model_config(directory);
  }
  const bool is_described = std::filesystem::exists(directory / "config.json");
  return is_described ? parse_model_config(directory) : read_model_config(directory);
}

ModelSpec resolve(const JobConfig& job, const DataSizes& sizes, ModelSpec (*read)(const Path&)) {
  ModelSpec config;
  if (!job.model.from.empty()) {
    config = read(job.model.from);
    check_vocab(config, job.model.from, sizes.vocab);
  } else {
    config = new_model(job, sizes.vocab);
    if (sizes.vocab > config.vocab) {
      throw ConfigError(Key{"model.vocab"}, "{} is smaller than the tokenizer's {}", config.vocab,
                        sizes.vocab);
    }
  }
  if (job.model.head == HeadChoice::task) check_reads(job, config);
  set_head(job, config, sizes.labels);
  if (job.model.dropout) config.dropout = DropoutRates::all(*job.model.dropout);
  if (!config.reads_images() && job.data.sequence > config.context) {
    throw ConfigError(Key{"data.sequence"}, "{} is longer than the model's context {}",
                      job.data.sequence, config.context);
  }
  if (!job.adapters.empty()) {
    // Declares parameters and nothing else.
    const Model model(describe_model(config), LinearRules(config.linear));
    config.linear = with_adapters(std::move(config.linear), model.linear_sites(), job.adapters);
  }
  return config;
}

// The tokenizer's size as far as it is known before data is read: bpe and wordpiece may find fewer
// pairs than they are to learn. 0: unknown, or none.
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
  return job.tokenizer.learns_merges() ? job.tokenizer.vocab : of_chars;
}

}  // namespace

ModelSpec resolve_model(const JobConfig& job, const DataSizes& sizes) {
  return resolve(job, sizes, read_model_config);
}

ModelSpec planned_model(const JobConfig& job) {
  const std::int64_t labels = std::ssize(known_labels(job));
  if (job.model.head == HeadChoice::task && job.task.has_labels() && labels == 0) {
    throw ConfigError(Key{"task.labels"}, "missing; a plan cannot count the labels of data.train");
  }
  const ModelSpec config = resolve(job, {assumed_vocab(job, 0), labels}, described_model);
  if (config.vocab != 0 || config.reads_images()) return config;
  throw ConfigError(Key{"model.vocab"},
                    "missing; a plan cannot count the characters of data.train");
}

ModelSpec declared_model(const JobConfig& job) {
  const std::int64_t labels = std::max<std::int64_t>(2, std::ssize(known_labels(job)));
  return resolve(job, {assumed_vocab(job, kByteIds), labels}, described_model);
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
                        .training = training_rules(job.optim)});
}

void resolve_model_path(JobConfig& job) {
  const Path& from = job.model.from;
  const bool is_run = !from.empty() && !std::filesystem::exists(from / "config.json") &&
                      std::filesystem::is_directory(from / "checkpoints");
  if (!is_run) return;
  const Path found = at_key("model.from", [&] { return find_model(from).directory; });
  if (job.strategy.empty()) {
    throw ConfigError(Key{"model.from"}, "{} is a run; name a checkpoint of it, as in {}",
                      from.string(), found.string());
  }
  job.model.from = found;
}

std::vector<std::string> set_initial_weights(const JobConfig& job, OpenedModel& model,
                                             const Group& world) {
  if (job.model.from.empty()) {
    model.parameters->initialise(static_cast<std::uint64_t>(job.run.seed));
    start_adapters(job, model, world);
    return {};
  }
  const ModelSpec stored = read_model_config(job.model.from);
  if (model.spec.head != stored.head || !job.adapters.empty()) {
    model.parameters->initialise(static_cast<std::uint64_t>(job.run.seed));
  }
  std::vector<std::string> drawn = load_common_weights(job.model.from, *model.parameters, stored);
  std::erase_if(drawn, is_adapter);
  if (!job.adapters.empty()) start_adapters(job, model, world);
  return drawn;
}

ReducerOptions reducer_options(const JobConfig& job) {
  return {.shard_optimizer = job.parallel.zero == 1, .reduction = job.parallel.reduction};
}

}  // namespace ty
