#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "launch/job/limits.h"
#include "launch/process/world.h"
#include "launch/run/model_setup.h"
#include "launch/run/probe.h"
#include "launch/verbs/eval_masked.h"
#include "launch/verbs/eval_scores.h"
#include "launch/verbs/eval_table.h"
#include "launch/verbs/eval_task.h"
#include "launch/verbs/eval_text.h"
#include "launch/verbs/eval_written.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/task_file.h"
#include "launch/verbs/verbs.h"
#include "models/huggingface/model_directory.h"

namespace ty {

namespace {

std::vector<std::int32_t> parse_ids(const std::string& text) {
  std::vector<std::int32_t> ids;
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end) {
    if (*p == ' ' || *p == ',') {
      ++p;
      continue;
    }
    std::int32_t id = 0;
    const auto [stop, fault] = std::from_chars(p, end, id);
    if (fault != std::errc()) {
      throw UsageError("--tokens: \"{}\" is no list of token ids; want \"1 2 3\"", text);
    }
    ids.push_back(id);
    p = stop;
  }
  return ids;
}

constexpr std::array kTypes = {DType::f32, DType::bf16, DType::f16};

config::Rule one_of_types() {
  config::Rule rule;
  for (const DType type : kTypes) rule.choices.emplace_back(name_of(type));
  return rule;
}

DType type_of(const Arguments& arguments) {
  const std::string name = arguments.text("--dtype", std::string(name_of(DType::f32)));
  return *std::find_if(kTypes.begin(), kTypes.end(),
                       [&](DType type) { return name_of(type) == name; });
}

// The model's own numbers for a list of ids, or for a file of inputs.
ExitCode run_probe(const Arguments& arguments, const Path& directory) {
  const auto backend = make_cpu_backend();
  Probe probe(directory, *backend, type_of(arguments));
  if (arguments.flag("--inputs")) {
    probe.run(Path(arguments.text("--inputs", "")));
  } else {
    probe.run(parse_ids(arguments.text("--tokens", "")));
  }
  if (arguments.flag("--logits")) probe.write_logits(arguments.text("--logits", ""));
  if (arguments.flag("--gradients")) {
    if (!probe.has_loss()) throw UsageError("--gradients: --inputs has no labels");
    probe.write_gradients(arguments.text("--gradients", ""));
  }
  const bool in_nats = probe.head() == HeadSpec::Kind::language;
  if (arguments.flag("--json")) {
    nlohmann::json json = {{"dtype", name_of(type_of(arguments))}};
    if (probe.has_loss()) {
      json["loss"] = probe.loss();
      json[in_nats ? "tokens" : "examples"] = probe.targets();
      if (in_nats) json["perplexity"] = std::exp(probe.loss());
    }
    fmt::print("{}\n", json.dump());
  } else if (probe.has_loss()) {
    fmt::print("loss {:.6f}{}\n", probe.loss(), in_nats ? " nats per token" : "");
  }
  return ExitCode::ok;
}

ExitCode run_eval(const Arguments& arguments, RankStatus& status) {
  World world(status);
  if (arguments.flag("--table")) return evaluate_table(arguments, world, type_of(arguments));
  if (arguments.words.size() > 2) {
    throw UsageError("eval: \"{}\" is one word too many; see trainyard eval --help",
                     arguments.words[2]);
  }
  if (scores_files(arguments)) {
    return world.is_root() ? score_files(arguments, type_of(arguments)) : ExitCode::ok;
  }
  const Path directory = model_argument(arguments, "the run or model directory", world.is_root());
  if (arguments.flag("--tokens") && arguments.flag("--inputs")) {
    throw UsageError("eval: --tokens and --inputs exclude each other");
  }
  if (arguments.flag("--tokens") || arguments.flag("--inputs")) {
    return world.is_root() ? run_probe(arguments, directory) : ExitCode::ok;
  }
  if (arguments.flag("--logits") || arguments.flag("--gradients")) {
    throw UsageError("eval: --logits and --gradients want --tokens \"1 2 3\" or --inputs FILE");
  }
  const ModelSpec spec = read_model_config(directory);
  if (arguments.flag("--generate") && !spec.answers_texts()) {
    throw UsageError("--generate: {} does not answer texts; want an encoder-decoder",
                     arguments.words[0]);
  }
  if (spec.head.is_pooled() || spec.answers_texts()) {
    return evaluate_task(arguments, world, directory, type_of(arguments));
  }
  if (spec.fills_masks()) {
    return evaluate_masked(arguments, world, directory, spec, type_of(arguments));
  }
  return evaluate_text(arguments, world, directory, spec, type_of(arguments));
}

constexpr std::size_t kMostItems = 64;  // of a table

std::vector<OptionSpec> eval_options() {
  std::vector<OptionSpec> options = {
      {"--json", "", "one JSON object on stdout"},
      {"--sequence", "N", "tokens per window; default: the model's context", kInteger,
       config::between(1, kLongestSequence)},
      {"--stride", "N", "windows overlap: each begins N tokens after the one before it", kInteger,
       config::between(1, kLongestSequence)},
      {"--batch", "N", "windows at once; default 8", kInteger, config::between(1, kMostSequences)},
      {"--dtype", "TYPE", "of weights and activations: fp32 (default), bf16 or fp16", kText,
       one_of_types()},
      {"--tokens", "IDS", "N+1 token ids: the model's own numbers for them"},
      {"--inputs", "FILE", "safetensors with the library's arguments: input_ids, labels, .."},
      {"--logits", "FILE", "write the logits of --tokens or --inputs (safetensors)"},
      {"--gradients", "FILE", "write the gradients of their mean loss (safetensors)"},
      kDatasetOption,
      kFirstOption,
      kSecondOption,
      kAnswerOption,
      kPredictionsOption,
      {"--table", "", "a GLUE row of several runs, or of what --json printed of them"},
      kStrictOption,
      kTensorOption,
      kPipelineOption};
  for (OptionSpec& option : writing_options()) options.push_back(std::move(option));
  for (OptionSpec& option : score_options()) options.push_back(std::move(option));
  return options;
}

}  // namespace

const Verb& eval_verb() {
  static const Verb verb = {
      "eval",
      "MODEL FILE [--json] [--generate] | MODEL --tokens \"1 2 3\" | --inputs FILE [--logits OUT] "
      "[--gradients OUT] | --predictions FILE --references FILE | --table RUN...",
      "Loss, perplexity and scores of a run or model on a file; scores of texts",
      eval_options(),
      {{.name = "", .most_words = kMostItems, .run = run_eval, .shares_work = true}}};
  return verb;
}

}  // namespace ty
