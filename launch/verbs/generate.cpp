#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>

#include "core/base/stopwatch.h"
#include "launch/process/world.h"
#include "launch/run/dataset.h"
#include "launch/run/generation_plan.h"
#include "launch/run/model_setup.h"
#include "launch/run/shared_model.h"
#include "launch/verbs/generate_options.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/verbs.h"
#include "models/huggingface/model_directory.h"

namespace ty {

namespace {

// What the model goes on from: without a prompt, the beginning of a document.
Ids start_of(const std::string& prompt, const Tokenizer& tokenizer) {
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
std::string continued(const std::string& prompt, const Ids& next, const Tokenizer& tokenizer) {
  if (prompt.empty()) return tokenizer.decode(next);
  Ids ids = tokenizer.encode(prompt);
  const std::size_t length = tokenizer.decode(ids).size();
  ids.insert(ids.end(), next.begin(), next.end());
  return prompt + tokenizer.decode(ids).substr(length);
}

// A text on stdout as it grows.
class GrowingText {
 public:
  GrowingText(const std::string& prompt, const Tokenizer& tokenizer)
      : prompt_(prompt), tokenizer_(tokenizer), shown_(prompt.size()) {
    show(prompt);
  }
  void add(std::int32_t id) {
    ids_.push_back(id);
    const std::string text = continued(prompt_, ids_, tokenizer_);
    show(std::string_view(text).substr(std::min(shown_, text.size())));
    shown_ = text.size();
  }

 private:
  static void show(std::string_view part) {
    std::fwrite(part.data(), 1, part.size(), stdout);
    std::fflush(stdout);  // a failure shows at the end
  }

  std::string prompt_;
  const Tokenizer& tokenizer_;
  Ids ids_;
  std::size_t shown_;
};

struct Texts {
  std::vector<Ids> ids;  // new ones of each prompt
  double seconds = 0, first_seconds = 0;
  std::int64_t count() const {
    std::int64_t all = 0;
    for (const Ids& one : ids) all += std::ssize(one);
    return all;
  }
};

Texts make_texts(const Generator& generator, const TextIds& text, const std::vector<Ids>& prompts,
                 const GenerateOptions& options, const std::function<void(std::int32_t)>& show) {
  Texts texts;
  const Stopwatch watch;
  if (options.beams) {
    texts.ids = beam_search(generator, text, prompts, *options.beams);
  } else {
    texts.ids =
        generate(generator, text, prompts, options.sampling, [&](std::size_t, std::int32_t id) {
          if (texts.first_seconds == 0) texts.first_seconds = watch.seconds();
          if (show) show(id);
        });
  }
  texts.seconds = watch.seconds();
  // No token of a search is certain before its end.
  if (options.beams) texts.first_seconds = texts.seconds;
  return texts;
}

GenerationPlan planned_memory(const SharedModel& shared, const std::vector<Ids>& prompts,
                              const Texts& texts, const GenerateOptions& options) {
  GenerationShape shape = {.prompts = {},
                           .max_tokens = options.max_tokens(),
                           .passes = 1,
                           .beams = options.beams ? options.beams->beams : 1,
                           .cached = options.cached};
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    shape.prompts.push_back(std::ssize(prompts[i]));
    // The last pass gave an id that no other pass read, unless it ended the text.
    const std::int64_t made = std::ssize(texts.ids[i]);
    shape.passes = std::max(shape.passes, made + (made < shape.max_tokens ? 1 : 0));
  }
  return plan_generation(shared.opened.spec, DType::f32, shape, shared.mesh.shape());
}

nlohmann::json to_json(const std::vector<std::string>& prompts, const Texts& texts,
                       const Tokenizer& tokenizer, bool several) {
  nlohmann::json json = {{"tokens", texts.count()},
                         {"tokens_per_second", static_cast<double>(texts.count()) / texts.seconds},
                         {"first_token_seconds", texts.first_seconds}};
  if (!several) {
    json["text"] = continued(prompts[0], texts.ids[0], tokenizer);
    return json;
  }
  json["texts"] = nlohmann::json::array();
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    json["texts"].push_back({{"prompt", prompts[i]},
                             {"text", continued(prompts[i], texts.ids[i], tokenizer)},
                             {"tokens", texts.ids[i].size()}});
  }
  return json;
}

ExitCode run_generate(const Arguments& arguments, RankStatus& status) {
  const GenerateOptions options = generate_options(arguments);
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
  if (!opened.spec.writes_texts()) {
    throw DataError(
        "{}: a model of family {} with this head does not give the next token; want a "
        "decoder with a language head",
        directory.string(), opened.spec.family);
  }
  check_vocab(opened.spec, directory, tokenizer->vocab_size());

  std::vector<Ids> prompts;
  for (const std::string& prompt : options.prompts) prompts.push_back(start_of(prompt, *tokenizer));
  if (!options.slides) check_lengths(prompts, options.max_tokens(), opened.spec.context);
  if (shared.mesh.at().data != 0) return ExitCode::ok;  // one copy of the model does it
  const Generator generator = {.model = *opened.model,
                               .backend = *backend,
                               .context = opened.spec.context,
                               .pipeline = shared.mesh.pipeline(),
                               .cached = options.cached};
  const bool as_json = arguments.flag("--json");
  const bool grows = world.is_root() && !as_json && prompts.size() == 1 && !options.beams;
  std::optional<GrowingText> growing;
  if (grows) growing.emplace(options.prompts[0], *tokenizer);
  const Texts texts =
      make_texts(generator, text_ids(*tokenizer), prompts, options, [&](std::int32_t id) {
        if (growing) growing->add(id);
      });
  if (!world.is_root()) return ExitCode::ok;
  if (as_json) {
    nlohmann::json json = to_json(options.prompts, texts, *tokenizer, options.several);
    const GenerationPlan planned = planned_memory(shared, prompts, texts, options);
    json["peak_bytes"] = backend->memory().stats().total_peak;
    json["predicted_peak_bytes"] = planned.memory.total_peak;
    json["cache_bytes"] = planned.cache_bytes;
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return ExitCode::ok;
  }
  for (std::size_t i = 0; i < prompts.size() && !grows; ++i) {
    const std::string_view rule = i == 0 ? "" : "---\n";
    fmt::print("{}{}{}", rule, continued(options.prompts[i], texts.ids[i], *tokenizer),
               i + 1 < prompts.size() ? "\n" : "");
  }
  fmt::print("\n");
  return ExitCode::ok;
}

}  // namespace

const Verb& generate_verb() {
  static const Verb verb = {"generate",
                            "MODEL [PROMPT] [options]",
                            "Text from a run or model and a prompt",
                            generate_option_specs(),
                            {{.name = "",
                              .most_words = 2,
                              .run = run_generate,
                              .shares_work = true,
                              .hint = "write a prompt of several words in quotes"}}};
  return verb;
}

}  // namespace ty
