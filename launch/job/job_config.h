// The job file: what one run of the product is asked to do, as plain structs with defaults.
//
// The field lists in job_config.cpp say what each key means and may be; `trainyard config` prints
// them. Zero means "none" or "work it out" where a comment says so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/dtype.h"
#include "core/config/load.h"
#include "core/data/text_source.h"
#include "core/data/tokenizer.h"
#include "models/families/family.h"
#include "models/linear/rules.h"
#include "models/transformer/model.h"
#include "optim/learning_rate.h"
#include "parallel/data/reduction.h"

namespace ty {

enum class DeviceChoice : std::uint8_t { automatic, cpu, cuda };
enum class OptimizerKind : std::uint8_t { adamw, sgd };

struct RunSection {
  std::string name = "run";
  std::filesystem::path dir;  // load_job fills in runs/NAME if not stated
  std::int64_t seed = 1;
  std::int64_t steps = 1000;
  std::int64_t eval_every = 0;    // 0: only at the end
  std::int64_t sample_every = 0;  // 0: never
  DeviceChoice device = DeviceChoice::automatic;
  bool allow_changes = false;
};

struct ModelSection {
  std::filesystem::path from;  // a model directory; empty: start from random weights
  // Without `from`:
  std::string family{families().front().name};
  std::int64_t layers = 12;
  std::int64_t width = 768;
  std::int64_t heads = 12;
  std::int64_t inner = 0;  // 0: 4 * width
  std::int64_t context = 1024;
  bool tied = true;
  UnaryOp activation = UnaryOp::gelu_tanh;
  std::int64_t vocab = 0;  // 0: the tokenizer's
  // Always:
  std::optional<double> dropout;  // load_job fills in 0 without `from`; else: the directory's own
};

struct TokenizerSection {
  std::filesystem::path from;         // a directory with tokenizer files
  std::optional<TokenizerKind> kind;  // without `from`; nothing: data is token ids already
  std::int64_t vocab = 1024;          // of bpe
};

struct DataSection {
  std::filesystem::path train, valid;  // may be empty (plan, bench)
  std::int64_t sequence = 128;         // tokens per sequence
  std::int64_t batch = 8;              // sequences per optimizer step, over all ranks
  std::string text_key = "text";       // of JSONL
  std::int64_t column = 0;             // of TSV
  TsvHeader header = TsvHeader::automatic;
};

struct OptimSection {
  OptimizerKind name = OptimizerKind::adamw;
  double lr = 1e-3;
  double weight_decay = 0.0;
  std::vector<std::string> no_decay{"*.bias", "*norm*"};  // parameter names, by pattern
  double clip = 0.0;                                      // limit of the gradient norm; 0: none
  std::vector<double> betas{0.9, 0.95};                   // adamw
  double eps = 1e-8;                                      // adamw
  double momentum = 0.0;                                  // sgd
};

struct ScheduleSection {
  LearningRateKind name = LearningRateKind::constant;
  std::int64_t warmup = 0;
  double min_lr = 0.0;     // not constant
  std::int64_t decay = 0;  // wsd: steps of the final decay
};

struct ParallelSection {
  config::IntOrAuto data;  // auto: the ranks that are left
  config::IntOrAuto tensor = 1;
  bool sequence = false;  // between shared layers, tensor ranks have their own tokens only
  config::IntOrAuto pipeline = 1;
  std::int64_t microbatches = 1;  // per rank and step
  Recompute recompute = Recompute::none;
  WeightReuse reuse = WeightReuse::pass;
  std::int64_t zero = 0;  // 1: optimizer state is sharded over the data ranks
  Reduction reduction = Reduction::fast;
  double bucket_mb = 25.0;  // of gradients reduced together
};

struct PrecisionSection {
  DType compute = DType::f32;
  DType weights = DType::f32;
};

struct CheckpointSection {
  std::int64_t every = 0;  // 0: only at the end
  std::int64_t keep = 3;
};

struct LogSection {
  std::int64_t every = 10;
  bool tensorboard = true;
};

struct JobConfig {
  RunSection run;
  ModelSection model;
  std::vector<LinearRule> linear;
  TokenizerSection tokenizer;
  DataSection data;
  OptimSection optim;
  ScheduleSection schedule;
  ParallelSection parallel;
  PrecisionSection precision;
  CheckpointSection checkpoint;
  LogSection log;
};

// The field list of a whole job, for config::to_yaml, json_schema and the like.
void fields(config::Fields& f, JobConfig& job);
// The rules between sections.
void check(const JobConfig& job, config::Checks& checks);

// The job of a file (none: defaults) with overrides `section.key=value` and all defaults that
// depend on other keys filled in. Throws ConfigError that lists everything that is wrong.
JobConfig load_job(const std::filesystem::path& file, const config::Overrides& overrides = {});
// The same job with the origin of each key.
config::Loaded<JobConfig> load_job_with_origins(const std::filesystem::path& file,
                                                const config::Overrides& overrides = {});

}  // namespace ty
