#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/stopwatch.h"
#include "launch/process/output.h"
#include "launch/process/world.h"
#include "launch/run/dataset.h"
#include "launch/run/generation_plan.h"
#include "launch/run/model_setup.h"
#include "launch/run/text_generator.h"
#include "launch/verbs/generate_options.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/verbs.h"
#include "models/huggingface/model_directory.h"

namespace ty {

namespace {

// A text on stdout as it grows.
class GrowingText {
 public:
  GrowingText(const std::string& prompt, const TextGenerator& generator)
      : prompt_(prompt), generator_(generator) {
    show(generator.text_of(prompt, {}));
  }
  void add(std::int32_t id) {
    ids_.push_back(id);
    show(generator_.text_of(prompt_, ids_));
  }

 private:
  // What is new of it.
  void show(std::string_view text) {
    const std::string_view part = text.substr(std::min(shown_, text.size()));
    std::fwrite(part.data(), 1, part.size(), stdout);
    std::fflush(stdout);  // a failure shows at the end
    shown_ = text.size();
  }

  std::string prompt_;
  const TextGenerator& generator_;
  Ids ids_;
  std::size_t shown_ = 0;
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

Texts make_texts(const TextGenerator& generator, const std::vector<Ids>& prompts,
                 const GenerationMethod& method, const std::function<void(std::int32_t)>& show) {
  Texts texts;
  const Stopwatch watch;
  texts.ids = generator.make(prompts, method, [&](std::size_t, std::int32_t id) {
    if (texts.first_seconds == 0) texts.first_seconds = watch.seconds();
    show(id);
  });
  texts.seconds = watch.seconds();
  // No token of a search is certain before its end.
  if (texts.first_seconds == 0) texts.first_seconds = texts.seconds;
  return texts;
}

// What the model reads of each prompt; throws UsageError for what is too long, if that is refused.
std::vector<Ids> read_prompts(const TextGenerator& generator, const GenerateOptions& options,
                              bool tells) {
  std::vector<Ids> prompts;
  for (const std::string& prompt : options.prompts) prompts.push_back(generator.ids_of(prompt));
  if (!options.slides) {
    check_lengths(prompts, options.max_tokens(), generator.context(), generator.answers());
  }
  for (std::size_t i = 0; i < prompts.size() && generator.answers(); ++i) {
    if (std::ssize(prompts[i]) <= generator.context()) continue;
    if (tells) {
      remark(fmt::format("text {} has {} tokens; the model reads the first {}", i + 1,
                         prompts[i].size(), generator.context()));
    }
    prompts[i] = generator.fitting_ids_of(options.prompts[i]);
  }
  return prompts;
}

GenerationPlan planned_memory(const SharedModel& shared, const std::vector<Ids>& prompts,
                              const Texts& texts, const GenerateOptions& options) {
  const std::optional<BeamOptions>& beams = options.method.beams;
  GenerationShape shape = {
      .prompts = {},
      .max_tokens = options.max_tokens(),
      .passes = beams ? options.max_tokens() : 1,  // a search may go on to the end
      .beams = beams ? beams->beams : 1,
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
                       const TextGenerator& generator, bool several) {
  nlohmann::json json = {{"tokens", texts.count()},
                         {"tokens_per_second", static_cast<double>(texts.count()) / texts.seconds},
                         {"first_token_seconds", texts.first_seconds}};
  if (!several) {
    json["text"] = generator.text_of(prompts[0], texts.ids[0]);
    return json;
  }
  json["texts"] = nlohmann::json::array();
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    json["texts"].push_back({{"prompt", prompts[i]},
                             {"text", generator.text_of(prompts[i], texts.ids[i])},
                             {"tokens", texts.ids[i].size()}});
  }
  return json;
}

ExitCode run_generate(const Arguments& arguments, RankStatus& status) {
  const GenerateOptions options = generate_options(arguments);
  World world(status);
  const Path directory = model_argument(arguments, "the run or model directory", world.is_root());
  require_writer(directory, parse_model_config(directory));
  const auto tokenizer = find_tokenizer(directory);
  if (tokenizer == nullptr) {
    throw DataError("{}: has no tokenizer files; text cannot be generated", directory.string());
  }
  const auto backend = make_backend(DeviceChoice::automatic, Reduction::fast, world.place());
  const SharedModel shared =
      open_shared_model(directory, *backend, world.group(), model_degrees(arguments));
  const TextGenerator generator(directory, shared, *tokenizer, *backend, options.cached);
  const std::vector<Ids> prompts = read_prompts(generator, options, world.is_root());
  if (shared.mesh.at().data != 0) return ExitCode::ok;  // one copy of the model does it
  const bool as_json = arguments.flag("--json");
  const bool grows = world.is_root() && !as_json && prompts.size() == 1 && !options.method.beams;
  std::optional<GrowingText> growing;
  if (grows) growing.emplace(options.prompts[0], generator);
  const Texts texts = make_texts(generator, prompts, options.method, [&](std::int32_t id) {
    if (growing) growing->add(id);
  });
  if (!world.is_root()) return ExitCode::ok;
  if (as_json) {
    nlohmann::json json = to_json(options.prompts, texts, generator, options.several);
    const GenerationPlan planned = planned_memory(shared, prompts, texts, options);
    json["peak_bytes"] = backend->memory().stats().total_peak;
    json["predicted_peak_bytes"] = planned.memory.total_peak;
    json["cache_bytes"] = planned.cache_bytes;
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return ExitCode::ok;
  }
  for (std::size_t i = 0; i < prompts.size() && !grows; ++i) {
    const std::string_view rule = i == 0 ? "" : "---\n";
    fmt::print("{}{}{}", rule, generator.text_of(options.prompts[i], texts.ids[i]),
               i + 1 < prompts.size() ? "\n" : "");
  }
  fmt::print("\n");
  return ExitCode::ok;
}

}  // namespace

const Verb& generate_verb() {
  static const Verb verb = {
      "generate",
      "MODEL [PROMPT] [options]",
      "Text from a run or model and a prompt, or for a text where it has an encoder",
      generate_option_specs(),
      {{.name = "",
        .most_words = 2,
        .run = run_generate,
        .shares_work = true,
        .hint = "write a prompt of several words in quotes"}}};
  return verb;
}

}  // namespace ty
