#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>

#include "core/base/stopwatch.h"
#include "launch/process/world.h"
#include "launch/run/dataset.h"
#include "launch/run/model_setup.h"
#include "launch/run/plan.h"
#include "launch/run/shared_model.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/verbs.h"
#include "models/generation/generation.h"
#include "models/huggingface/model_directory.h"

namespace ty {

namespace {

// What the model goes on from: without a prompt, the beginning of a document.
std::vector<std::int32_t> start_of(const std::string& prompt, const Tokenizer& tokenizer) {
  if (!prompt.empty()) return tokenizer.encode(prompt);
  if (!tokenizer.end_of_text()) {
    throw UsageError(
        "generate: there is no prompt, and the tokenizer has no end of text to start from; give a "
        "prompt");
  }
  return {*tokenizer.end_of_text()};
}

// A prompt and what follows it. Whether a token begins with a space may depend on there being one
// before it, so it is decoded behind the ids of the prompt.
std::string continued(const std::string& prompt, std::vector<std::int32_t> ids,
                      std::span<const std::int32_t> next, const Tokenizer& tokenizer) {
  if (prompt.empty()) return tokenizer.decode(next);
  const std::size_t length = tokenizer.decode(ids).size();
  ids.insert(ids.end(), next.begin(), next.end());
  return prompt + tokenizer.decode(ids).substr(length);
}

ExitCode run_generate(const Arguments& arguments, RankStatus& status) {
  World world(status);
  const Path directory = model_argument(arguments, "the run or model directory", world.is_root());
  const auto tokenizer = find_tokenizer(directory);
  if (tokenizer == nullptr) {
    throw DataError("{}: has no tokenizer files; text cannot be generated", directory.string());
  }
  const auto backend = make_backend(DeviceChoice::automatic);
  const SharedModel shared =
      open_shared_model(directory, *backend, world.group(), model_degrees(arguments));
  const OpenedModel& opened = shared.opened;
  check_vocab(opened.spec, directory, tokenizer->vocab_size());

  const std::string prompt = arguments.words.size() > 1 ? arguments.words[1] : "";
  const SamplingOptions options = {
      .max_tokens = arguments.integer("--tokens", 100),
      .temperature = arguments.flag("--greedy") ? 0.0 : arguments.number("--temperature", 0.8),
      .top_k = arguments.integer("--top-k", 50),
      .top_p = arguments.number("--top-p", 1.0),
      .seed = static_cast<std::uint64_t>(arguments.integer("--seed", 1))};
  const std::vector<std::int32_t> begin = start_of(prompt, *tokenizer);
  if (shared.mesh.at().data != 0) return ExitCode::ok;  // one copy of the model does it
  const Stopwatch watch;
  double first = 0;
  const std::vector<std::int32_t> ids = generate(
      *opened.model, *backend, opened.spec.context, begin, options, *tokenizer,
      [&](std::int32_t) {
        if (first == 0) first = watch.seconds();
      },
      shared.mesh.pipeline());
  if (!world.is_root()) return ExitCode::ok;
  const double seconds = watch.seconds();
  const std::string text = continued(prompt, begin, ids, *tokenizer);
  // Tokens that the last pass read: all but the one that it gave, unless that ended the text.
  const std::int64_t all = std::ssize(begin) + std::ssize(ids);
  const bool is_full = std::ssize(ids) == options.max_tokens;
  const std::int64_t longest = std::min(opened.spec.context, is_full ? all - 1 : all);
  if (!arguments.flag("--json")) {
    fmt::print("{}\n", text);
    return ExitCode::ok;
  }
  const nlohmann::json json = {
      {"text", text},
      {"tokens", ids.size()},
      {"tokens_per_second", static_cast<double>(ids.size()) / seconds},
      {"first_token_seconds", first},
      {"peak_bytes", backend->memory().stats().total_peak},
      {"predicted_peak_bytes",
       plan_inference(opened.spec, DType::f32, 1, longest, shared.mesh.shape()).total_peak}};
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  return ExitCode::ok;
}

}  // namespace

const Verb& generate_verb() {
  static const Verb verb = {
      "generate",
      "MODEL [PROMPT] [options]",
      "Text from a run or model and a prompt",
      {{"--tokens", "N", "most new tokens; default 100", kInteger, config::at_least(1)},
       {"--seed", "N", "of the draws; default 1", kInteger, config::at_least(0)},
       {"--temperature", "T", "0: always the most likely token; default 0.8", kNumber,
        config::at_least(0)},
       {"--top-k", "K", "keep the K most likely tokens; 0: all; default 50", kInteger,
        config::at_least(0)},
       {"--top-p", "P", "keep the fewest tokens of probability P; default 1", kNumber,
        config::Rule{}.above(0).at_most(1)},
       {"--greedy", "", "always the most likely token"},
       kStrictOption,
       kTensorOption,
       kPipelineOption,
       {"--json", "", "one JSON object on stdout"}},
      {{.name = "",
        .most_words = 2,
        .run = run_generate,
        .shares_work = true,
        .hint = "write a prompt of several words in quotes"}}};
  return verb;
}

}  // namespace ty
