#include "launch/verbs/generate_options.h"

#include <string_view>

#include "core/base/error.h"
#include "core/io/file.h"
#include "launch/verbs/model_argument.h"

namespace ty {

namespace {

constexpr std::int64_t kMostBeams = 1024;
constexpr std::uint64_t kMostPromptBytes = std::uint64_t{1} << 28;

// The lines of a file, without their ends.
std::vector<std::string> prompts_in(const Path& path) {
  const std::string text = read_text_file(path, kMostPromptBytes);
  std::vector<std::string> lines;
  for (std::size_t first = 0; first < text.size();) {
    const std::size_t end = std::min(text.find('\n', first), text.size());
    std::string line = text.substr(first, end - first);
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    first = end + 1;
  }
  if (lines.empty()) {
    throw DataError("{}: has no prompt; want one on each line", path.string());
  }
  return lines;
}

// Options that do not go together, and why.
struct Conflict {
  const char* option;
  const char* with;
  const char* why;
};
constexpr Conflict kConflicts[] = {
    {"--greedy", "--temperature", "the most likely token needs none"},
    {"--greedy", "--top-k", "the most likely token is always kept"},
    {"--greedy", "--top-p", "the most likely token is always kept"},
    {"--beams", "--greedy", "one beam is greedy"},
    {"--beams", "--temperature", "beams are searched, not drawn"},
    {"--beams", "--top-k", "beams are searched, not drawn"},
    {"--beams", "--top-p", "beams are searched, not drawn"},
    {"--beams", "--seed", "beams are searched, not drawn"},
};

void check_conflicts(const Arguments& arguments) {
  for (const Conflict& c : kConflicts) {
    if (!arguments.flag(c.option) || !arguments.flag(c.with)) continue;
    throw UsageError("generate: {} and {} exclude each other: {}; give one of them", c.option,
                     c.with, c.why);
  }
  if (arguments.flag("--prompts") && arguments.words.size() > 1) {
    throw UsageError(
        "generate: there are a prompt and --prompts; write the prompt into the file, or leave one "
        "out");
  }
}

EarlyStop early_stop_of(const std::string& text) {
  if (text == "yes") return EarlyStop::yes;
  return text == "never" ? EarlyStop::never : EarlyStop::no;
}

constexpr const char* kTokens = "--tokens";
constexpr std::int64_t kUsualTokens = 100;

RepetitionRules repetition_rules(const Arguments& arguments) {
  return {.no_repeat_ngram = arguments.integer("--no-repeat-ngram", 0),
          .penalty = arguments.number("--repetition-penalty", 1.0)};
}

std::optional<BeamOptions> beams_of(const Arguments& arguments, std::int64_t most_tokens) {
  if (!arguments.flag("--beams")) {
    for (const char* option : {"--length-penalty", "--early-stop"}) {
      if (arguments.flag(option)) throw UsageError("{} is for beams; give --beams N too", option);
    }
    return {};
  }
  return BeamOptions{.max_tokens = most_tokens,
                     .beams = arguments.integer("--beams", 1),
                     .length_penalty = arguments.number("--length-penalty", 1.0),
                     .early_stop = early_stop_of(arguments.text("--early-stop", "no")),
                     .repetition = repetition_rules(arguments)};
}

}  // namespace

std::vector<OptionSpec> search_option_specs(const char* most) {
  using config::at_least;
  return {{most, "N", "most new tokens of a text; default 100", kInteger, at_least(1)},
          {"--beams", "N", "search the most likely text with N beams", kInteger,
           config::between(1, kMostBeams)},
          {"--length-penalty", "P", "beams: scores are divided by length^P; default 1", kNumber},
          {"--early-stop", "WHEN",
           "beams: yes: when N texts have ended; no (default), never: when none can be better",
           kText, config::one_of({"yes", "no", "never"})},
          {"--no-repeat-ngram", "N", "never repeat a run of N tokens; 0 (default): may", kInteger,
           at_least(0)},
          {"--repetition-penalty", "P", "above 1: tokens that have occurred are less likely",
           kNumber, config::Rule{}.above(0)}};
}

std::vector<OptionSpec> generate_option_specs() {
  using config::at_least;
  std::vector<OptionSpec> options = {
      {"--prompts", "FILE", "a prompt on each line, instead of PROMPT; all at once"},
      {"--seed", "N", "of the draws; default 1", kInteger, at_least(0)},
      {"--temperature", "T", "0: always the most likely token; default 0.8", kNumber, at_least(0)},
      {"--top-k", "K", "keep the K most likely tokens; 0: all; default 50", kInteger, at_least(0)},
      {"--top-p", "P", "keep the fewest tokens of probability P; default 1", kNumber,
       config::Rule{}.above(0).at_most(1)},
      {"--greedy", "", "always the most likely token"},
      {"--long", "HOW",
       "what is longer than the context: slide (default; an encoder reads its beginning), or "
       "refuse "
       "at the start",
       kText, config::one_of({"slide", "refuse"})},
      {"--no-cache", "", "read all tokens again for each new one, to check or compare"},
      kStrictOption,
      kTensorOption,
      kPipelineOption,
      {"--json", "", "one JSON object on stdout"}};
  std::vector<OptionSpec> all = search_option_specs(kTokens);
  all.insert(all.end(), options.begin(), options.end());
  return all;
}

GenerationMethod search_method(const Arguments& arguments, const char* most) {
  const std::int64_t most_tokens = arguments.integer(most, kUsualTokens);
  return {.sampling = {.max_tokens = most_tokens,
                       .temperature = 0,
                       .repetition = repetition_rules(arguments)},
          .beams = beams_of(arguments, most_tokens)};
}

GenerateOptions generate_options(const Arguments& arguments) {
  check_conflicts(arguments);
  const std::int64_t most_tokens = arguments.integer(kTokens, kUsualTokens);
  GenerateOptions options = {
      .prompts = {arguments.words.size() > 1 ? arguments.words[1] : ""},
      .several = arguments.flag("--prompts"),
      .method = {.sampling = {.max_tokens = most_tokens,
                              .temperature = arguments.flag("--greedy")
                                                 ? 0.0
                                                 : arguments.number("--temperature", 0.8),
                              .top_k = arguments.integer("--top-k", 50),
                              .top_p = arguments.number("--top-p", 1.0),
                              .seed = static_cast<std::uint64_t>(arguments.integer("--seed", 1)),
                              .repetition = repetition_rules(arguments)},
                 .beams = beams_of(arguments, most_tokens)},
      .slides = arguments.text("--long", "slide") == "slide",
      .cached = !arguments.flag("--no-cache")};
  if (options.several) options.prompts = prompts_in(arguments.text("--prompts", ""));
  return options;
}

namespace {

// An encoder's text, and what a decoder writes behind its first token.
void check_answers(const std::vector<Ids>& texts, std::int64_t max_tokens, std::int64_t context) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (std::ssize(texts[i]) <= context) continue;
    throw UsageError(
        "generate: text {} has {} tokens; the model reads {} at most; want a shorter text, or "
        "--long slide to read its beginning",
        i + 1, texts[i].size(), context);
  }
  if (max_tokens <= context) return;
  throw UsageError(
      "generate: --tokens: got {}; the model writes {} before it forgets the first; want no more, "
      "or --long slide",
      max_tokens, context);
}

}  // namespace

void check_lengths(const std::vector<Ids>& prompts, std::int64_t max_tokens, std::int64_t context,
                   bool answers) {
  if (answers) return check_answers(prompts, max_tokens, context);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::int64_t length = std::ssize(prompts[i]);
    if (length + max_tokens <= context) continue;
    throw UsageError(
        "generate: prompt {} has {} tokens; with {} new ones they are more than the model's "
        "context {}; want --tokens {} at most, a shorter prompt, or --long slide",
        i + 1, length, max_tokens, context, std::max<std::int64_t>(0, context - length));
  }
}

}  // namespace ty
