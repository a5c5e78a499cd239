#include <fmt/format.h>

#include "core/config/document.h"
#include "core/config/print.h"
#include "core/io/file.h"
#include "launch/job_config.h"
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

ExitCode run_config(const Arguments& arguments, RankStatus&) {
  const std::string& what = arguments.word(0, "what to do (check, show, schema, keys or init)");
  if (what == "check") {
    const std::string& file = arguments.word(1, "the job file");
    load_job(file, arguments.overrides);
    fmt::print("{}: ok\n", file);
  } else if (what == "show") {
    const auto loaded =
        load_job_with_origins(arguments.word(1, "the job file"), arguments.overrides);
    fmt::print("{}", arguments.flag("--origin") ? config::to_origins(loaded.value, loaded.origins)
                                                : config::to_yaml(loaded.value));
  } else if (what == "schema") {
    fmt::print("{}\n", config::json_schema<JobConfig>("trainyard job"));
  } else if (what == "keys") {
    fmt::print("{}", config::key_reference<JobConfig>());
  } else if (what == "init") {
    const Path file = arguments.words.size() > 1 ? arguments.words[1] : "job.yaml";
    if (std::filesystem::exists(file)) {
      throw UsageError("config init: {} exists; name another file", file.string());
    }
    atomic_write_file(file, bytes_of(kStarter));
    fmt::print("wrote {}; next: trainyard config check {}\n", file.string(), file.string());
  } else {
    throw UsageError("config: unknown \"{}\"; one of: check show schema keys init", what);
  }
  return ExitCode::ok;
}

}  // namespace

const Verb& config_verb() {
  static const Verb verb = {"config",
                            "check FILE | show FILE [--origin] | schema | keys | init [FILE]",
                            "Check, print and document job files",
                            {{"--origin", "", "where each value came from"}},
                            true,
                            run_config};
  return verb;
}

}  // namespace ty
