#include "launch/model_setup.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/huggingface/model_directory.h"
#include "parallel/comm/tree.h"

namespace ty {

namespace {
constexpr std::int64_t kByteIds = 257;  // of the bytes tokenizer: all bytes and the end of text
}  // namespace

std::unique_ptr<Backend> make_backend(DeviceChoice device, ReductionOrder order) {
  if (device == DeviceChoice::cuda) {
    throw ConfigError("run.device: cuda is not part of this build; use cpu or auto");
  }
  return make_cpu_backend(order == ReductionOrder::canonical ? Products::fixed : Products::fastest);
}

Gpt2Config resolve_model(const JobConfig& job, std::int64_t vocab) {
  Gpt2Config config;
  if (!job.model.from.empty()) {
    config = read_model_config(job.model.from);
    if (vocab > config.vocab) {
      throw DataError("{}: vocab_size {} is smaller than the tokenizer's {}",
                      (job.model.from / "config.json").string(), config.vocab, vocab);
    }
  } else {
    const ModelSection& m = job.model;
    config = {.layers = m.layers,
              .width = m.width,
              .heads = m.heads,
              .inner = m.inner,
              .context = m.context,
              .vocab = m.vocab != 0 ? m.vocab : vocab,
              .tied = m.tied,
              .activation = m.activation,
              .linear = job.linear};
    if (vocab > config.vocab) {
      throw ConfigError("model.vocab: {} is smaller than the tokenizer's {}", config.vocab, vocab);
    }
  }
  if (job.model.dropout) config.dropout = DropoutRates::all(*job.model.dropout);
  if (job.data.sequence > config.context) {
    throw ConfigError("data.sequence: {} is longer than the model's context {}", job.data.sequence,
                      config.context);
  }
  return config;
}

Gpt2Config planned_model(const JobConfig& job) {
  const TokenizerSection& tokenizer = job.tokenizer;
  if (job.model.vocab != 0) return resolve_model(job, 0);
  if (!tokenizer.from.empty())
    return resolve_model(job, load_tokenizer(tokenizer.from)->vocab_size());
  if (!tokenizer.kind) return resolve_model(job, 0);
  if (*tokenizer.kind == TokenizerKind::bpe) return resolve_model(job, tokenizer.vocab);
  if (*tokenizer.kind == TokenizerKind::bytes) return resolve_model(job, kByteIds);
  throw ConfigError("model.vocab: missing; a plan cannot count the characters of data.train");
}

namespace {

// The job's model before any data is read. Characters are counted later, and any number of them
// serves here.
Gpt2Config declared_model(const JobConfig& job) {
  if (!job.model.from.empty()) return resolve_model(job, 0);
  JobConfig sized = job;
  if (job.tokenizer.kind == TokenizerKind::chars && job.model.vocab == 0) {
    sized.model.vocab = kByteIds;
  }
  return planned_model(sized);
}

}  // namespace

void check_linear_rules(const JobConfig& job) {
  const Gpt2Config config = declared_model(job);
  const Model declared(describe_gpt2(config), LinearRules(config.linear));
}

void check_no_decay(const JobConfig& job) {
  const Gpt2Config config = declared_model(job);
  const Model model(describe_gpt2(config), LinearRules(config.linear));
  const auto& parameters = model.parameters().all();
  for (const std::string& pattern : job.optim.no_decay) {
    const bool matches = std::any_of(parameters.begin(), parameters.end(), [&](const auto& each) {
      return glob_match(pattern, each.name);
    });
    if (matches) continue;
    throw ConfigError("optim.no_decay: \"{}\" matches no parameter; names look like {} and {}",
                      pattern, parameters.front().name, parameters.back().name);
  }
}

void check_layout(const JobConfig& job, int data_ranks) {
  if (job.data.batch < data_ranks) {
    throw ConfigError("data.batch: {} sequences are fewer than the {} data ranks", job.data.batch,
                      data_ranks);
  }
  if (job.parallel.reduction == ReductionOrder::canonical) check_tree_ranks(data_ranks);
}

ModelSetup::ModelSetup(const JobConfig& job, const Gpt2Config& model_config, Backend& backend,
                       int data_ranks)
    : config(model_config) {
  model = std::make_unique<Model>(describe_gpt2(config), LinearRules(config.linear));
  config.linear = exact_rules(model->linear_sites());
  const auto bucket = static_cast<std::int64_t>(job.parallel.bucket_mb * 1024 * 1024 / 4);
  parameters = std::make_unique<FlatParameters>(
      model->parameters(), plan_flat_layout(model->parameters(), bucket, data_ranks), backend,
      FlatOptions{.compute = job.precision.compute, .weights = job.precision.weights});
}

void set_initial_weights(const JobConfig& job, ModelSetup& setup) {
  if (job.model.from.empty()) {
    setup.parameters->initialise(static_cast<std::uint64_t>(job.run.seed));
  } else {
    load_weights(job.model.from, *setup.parameters, setup.config);
  }
}

ReducerOptions reducer_options(const JobConfig& job) {
  return {.shard_optimizer = job.parallel.zero == 1,
          .reduction = job.parallel.reduction == ReductionOrder::canonical ? Reduction::canonical
                                                                           : Reduction::fast};
}

}  // namespace ty
