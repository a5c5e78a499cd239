#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "launch/job/limits.h"
#include "launch/process/world.h"
#include "launch/run/dataset.h"
#include "launch/run/evaluation.h"
#include "launch/run/model_setup.h"
#include "launch/run/plan.h"
#include "launch/run/probe.h"
#include "launch/run/shared_model.h"
#include "launch/verbs/eval_task.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/task_file.h"
#include "launch/verbs/verbs.h"
#include "models/families/family.h"
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
  if (spec.head.is_pooled()) {
    return evaluate_task(arguments, world, directory, spec, type_of(arguments));
  }
  if (!spec.writes_texts()) {
    throw UsageError("{}: {} has no loss on a text; --inputs FILE gives its numbers",
                     directory.string(), family_of(spec).name);
  }
  const auto tokenizer = find_tokenizer(directory);
  const std::int64_t sequence = arguments.integer("--sequence", spec.context);
  if (sequence > spec.context) {
    throw UsageError("--sequence: got {}; the model's context is {}, want no more", sequence,
                     spec.context);
  }
  const TokenFile tokens = open_tokens(arguments.word(1, "the text or token file"), tokenizer.get(),
                                       text_options(DataSection{}), spec.vocab);
  const auto backend = make_backend(DeviceChoice::automatic);
  const DType dtype = type_of(arguments);
  const SharedModel shared =
      open_shared_model(directory, *backend, world.group(), model_degrees(arguments), dtype);
  const OpenedModel& opened = shared.opened;
  const EvaluationOptions options = {.sequence = sequence,
                                     .batch = arguments.integer("--batch", 8)};
  const Evaluation result = evaluate(*opened.model, *cross_entropy_objective(), *backend, tokens,
                                     options, {shared.mesh.data(), shared.mesh.pipeline()});
  if (!world.is_root()) return ExitCode::ok;
  if (arguments.flag("--json")) {
    nlohmann::json json = {
        {"loss", result.loss},
        {"perplexity", result.perplexity()},
        {"tokens", static_cast<std::int64_t>(result.tokens)},
        {"dtype", name_of(dtype)},
        {"peak_bytes", backend->memory().stats().total_peak},
        {"predicted_peak_bytes", plan_inference(opened.spec, dtype, largest_batch(tokens, options),
                                                sequence, shared.mesh.shape())
                                     .total_peak}};
    if (result.bits_per_byte > 0) json["bits_per_byte"] = result.bits_per_byte;
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("loss {:.4f} nats per token  perplexity {:.2f}", result.loss, result.perplexity());
    if (result.bits_per_byte > 0) fmt::print("  bits per byte {:.4f}", result.bits_per_byte);
    fmt::print("  tokens {:.0f}\n", result.tokens);
  }
  return ExitCode::ok;
}

}  // namespace

const Verb& eval_verb() {
  static const Verb verb = {
      "eval",
      "MODEL FILE [--json] | MODEL --tokens \"1 2 3\" | --inputs FILE [--logits OUT] "
      "[--gradients OUT]",
      "Loss, perplexity and bits per byte of a run or model on a file",
      {{"--json", "", "one JSON object on stdout"},
       {"--sequence", "N", "tokens per window; default: the model's context", kInteger,
        config::between(1, kLongestSequence)},
       {"--batch", "N", "windows at once; default 8", kInteger, config::between(1, kMostSequences)},
       {"--dtype", "TYPE", "of weights and activations: fp32 (default), bf16 or fp16", kText,
        one_of_types()},
       {"--tokens", "IDS", "N+1 token ids: the model's own numbers for them"},
       {"--inputs", "FILE", "safetensors with the library's arguments: input_ids, labels, .."},
       {"--logits", "FILE", "write the logits of --tokens or --inputs (safetensors)"},
       kDatasetOption,
       kFirstOption,
       kSecondOption,
       kAnswerOption,
       kPredictionsOption,
       kStrictOption,
       kTensorOption,
       kPipelineOption,
       {"--gradients", "FILE", "write the gradients of their mean loss (safetensors)"}},
      {{.name = "", .most_words = 2, .run = run_eval, .shares_work = true}}};
  return verb;
}

}  // namespace ty
