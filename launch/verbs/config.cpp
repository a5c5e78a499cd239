#include <fmt/format.h>

#include "core/config/document.h"
#include "core/config/print.h"
#include "core/io/file.h"
#include "launch/run/job_check.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

// A job to start from; every other key has a default that `config show` prints.
constexpr std::string_view kStarter =
    R"(# A job of trainyard. `trainyard config keys` explains every key.
schema: 1
run: {name: my-run, dir: runs/my-run, seed: 1, steps: 1000, eval_every: 200, sample_every: 500}
model: {family: gpt2, layers: 4, width: 128, heads: 4, context: 128}
tokenizer: {kind: bpe, vocab: 1024}        # bytes | chars | bpe, or {from: directory}
data: {train: train.txt, valid: valid.txt, sequence: 64, batch: 8}
optim: {name: adamw, lr: 4e-3, betas: [0.9, 0.95], weight_decay: 0.1, clip: 1.0}
schedule: {name: cosine, warmup: 50, min_lr: 4e-4}
checkpoint: {every: 200, keep: 3}
)";

ExitCode check_file(const Arguments& arguments, RankStatus&) {
  const std::string& file = arguments.word(0, "the job file");
  load_checked_job(file, arguments.overrides);
  fmt::print("{}: ok\n", file);
  return ExitCode::ok;
}

ExitCode show(const Arguments& arguments, RankStatus&) {
  const auto loaded = load_job_with_origins(arguments.word(0, "the job file"), arguments.overrides);
  fmt::print("{}", arguments.flag("--origin") ? config::to_origins(loaded.value, loaded.origins)
                                              : config::to_yaml(loaded.value));
  return ExitCode::ok;
}

ExitCode schema(const Arguments&, RankStatus&) {
  fmt::print("{}\n", config::json_schema<JobConfig>("trainyard job"));
  return ExitCode::ok;
}

ExitCode keys(const Arguments&, RankStatus&) {
  fmt::print("{}", config::key_reference<JobConfig>());
  return ExitCode::ok;
}

ExitCode init(const Arguments& arguments, RankStatus&) {
  const Path file = arguments.words.empty() ? "job.yaml" : arguments.words[0];
  if (std::filesystem::exists(file)) {
    throw UsageError("config init: {} exists; name another file", file.string());
  }
  atomic_write_file(file, bytes_of(kStarter));
  fmt::print("wrote {}; next: trainyard config check {}\n", file.string(), file.string());
  return ExitCode::ok;
}

}  // namespace

const Verb& config_verb() {
  static const Verb verb = {
      "config",
      "check FILE | show FILE [--origin] | schema | keys | init [FILE]",
      "Check, print and document job files",
      {{"--origin", "", "where each value came from", kText, {}, {"show"}}},
      {{.name = "check", .most_words = 1, .run = check_file, .takes_overrides = true},
       {.name = "show", .most_words = 1, .run = show, .takes_overrides = true},
       {.name = "schema", .most_words = 0, .run = schema},
       {.name = "keys", .most_words = 0, .run = keys},
       {.name = "init", .most_words = 1, .run = init}}};
  return verb;
}

}  // namespace ty
