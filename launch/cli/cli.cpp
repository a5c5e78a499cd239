// The only file that knows the command-line library.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/base/suggest.h"
#include "launch/cli/verb.h"
#include "launch/process/output.h"
#include "launch/process/world.h"

namespace ty {

namespace {

// A word like optim.lr=1e-3.
bool is_override(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == equals;
}

// The library's help with a usage line of ours.
class HelpText final : public CLI::Formatter {
 public:
  explicit HelpText(std::string usage) : usage_(std::move(usage)) {}
  std::string make_usage(const CLI::App*, std::string) const override {
    return "Usage: trainyard " + usage_ + "\n";
  }

 private:
  std::string usage_;
};

// The value of an option lands in `values`, checked.
void add_option(CLI::App* sub, const OptionSpec& option,
                std::map<std::string, std::vector<config::Scalar>>& values) {
  const std::string key = option.key();
  if (option.is_flag()) {
    sub->add_flag_callback(
        option.name, [&values, key] { values[key]; }, option.help);
    return;
  }
  const auto take = [&values, &option, key](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      for (config::Scalar& value : parse_option(option, text)) {
        values[key].push_back(std::move(value));
      }
    }
  };
  CLI::Option* added =
      sub->add_option_function<std::vector<std::string>>(option.name, take, option.help);
  if (!option.type.is_list) added->expected(1);
  added->allow_extra_args(false)->type_name(option.value);
}

CLI::App* add_verb(CLI::App& app, const Verb& verb, Arguments& arguments,
                   std::vector<std::string>& words) {
  CLI::App* sub = app.add_subcommand(verb.name, verb.help);
  sub->formatter(std::make_shared<HelpText>(verb.name + " " + verb.synopsis));
  if (verb.passes_on) {
    sub->prefix_command();
  } else {
    sub->add_option("words", words, "")->group("");
  }
  for (const OptionSpec& option : verb.options) add_option(sub, option, arguments.options);
  return sub;
}

// An override that spaces have torn apart, as in `run.steps = 5`, in one piece; "" if there is
// none.
std::string torn_override(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool ends_at_equals = is_override(words[i]) && words[i].ends_with('=');
    if (!ends_at_equals && !words[i + 1].starts_with('=')) continue;
    std::string whole = words[i] + words[i + 1];
    if (whole.ends_with('=') && i + 2 < words.size()) whole += words[i + 2];
    if (is_override(whole)) return whole;
  }
  return "";
}

[[noreturn]] void refuse_word(const Verb& verb, const Form& form, const std::string& word,
                              const std::vector<std::string>& all) {
  std::string hint =
      form.hint.empty() ? fmt::format("see trainyard {} --help", verb.name) : form.hint;
  const std::string torn = form.takes_overrides ? torn_override(all) : "";
  if (!torn.empty()) hint = fmt::format("write {} without spaces", torn);
  throw UsageError("{}: \"{}\" is one word too many; {}", verb.name, word, hint);
}

// Deals the words that are left out to words and overrides.
void take_words(const Verb& verb, const Form& form, const std::vector<std::string>& all,
                Arguments& arguments) {
  for (const std::string& word : all) {
    const bool override = form.takes_overrides && is_override(word);
    (override ? arguments.overrides : arguments.words).push_back(word);
  }
  if (arguments.words.size() > form.most_words) {
    refuse_word(verb, form, arguments.words[form.most_words], all);
  }
}

void check_options(const Verb& verb, const Form& form, const Arguments& arguments) {
  for (const OptionSpec& option : verb.options) {
    const auto& forms = option.forms;
    if (forms.empty() || !arguments.flag(option.key())) continue;
    if (std::find(forms.begin(), forms.end(), form.name) != forms.end()) continue;
    const auto named = [&](const std::string& name) {
      return name.empty() ? verb.name : verb.name + " " + name;
    };
    std::vector<std::string> others;
    for (const std::string& name : forms) others.push_back(name.empty() ? "CONFIG" : name);
    throw UsageError("{}: {} means nothing here; it is for {} {}", named(form.name), option.key(),
                     verb.name, fmt::join(others, " and "));
  }
}

// The library's parser with all verbs; what it reads lands in `arguments` and `words`.
class Parser {
 public:
  Parser() : app_("trainyard: train and compress transformers on one process or many") {
    app_.name("trainyard");
    app_.formatter(std::make_shared<HelpText>("VERB [CONFIG] [dotted.key=value ...] [options]"));
    app_.require_subcommand(1);
    app_.failure_message(
        [](const CLI::App*, const CLI::Error& error) { return std::string(error.what()); });
    for (const Verb& verb : verbs())
      subs_.emplace_back(add_verb(app_, verb, arguments, words), &verb);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // The verb of the line; null if all it wants is help, which is printed.
  const Verb* parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
      app_.exit(help);
      return nullptr;
    } catch (const CLI::ParseError& error) {
      throw UsageError("{}; see trainyard --help", error.what());
    }
    const auto parsed = std::find_if(subs_.begin(), subs_.end(),
                                     [](const auto& sub) { return sub.first->parsed(); });
    if (parsed->second->passes_on) words = parsed->first->remaining();
    return parsed->second;
  }

  Arguments arguments;
  std::vector<std::string> words;

 private:
  CLI::App app_;
  std::vector<std::pair<CLI::App*, const Verb*>> subs_;
};

ExitCode dispatch(int argc, const char* const* argv, RankStatus& status) {
  if (argc >= 2 && argv[1][0] != '-') find_verb(argv[1]);
  Parser parser;
  const Verb* verb = parser.parse(argc, argv);
  if (verb == nullptr) return ExitCode::ok;
  Arguments& arguments = parser.arguments;
  arguments.argv.assign(argv, argv + argc);
  const Form& form = take_form(*verb, parser.words);
  take_words(*verb, form, parser.words, arguments);
  check_options(*verb, form, arguments);
  if (form.is_alone && launched_ranks() > 1) {
    throw UsageError("{}: does its work in one process; run it without mpirun", verb->name);
  }
  return form.run(arguments, status);
}

}  // namespace

const Verb& find_verb(const std::string& name) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return verb;
    names.push_back(verb.name);
  }
  throw UsageError("unknown verb \"{}\"; one of: {}{}", name, fmt::join(names, " "),
                   did_you_mean(name, names));
}

const Form& take_form(const Verb& verb, std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const Form& form : verb.forms) names.push_back(form.name);
  const bool is_named = !words.empty() && !words.front().empty() &&
                        std::find(names.begin(), names.end(), words.front()) != names.end();
  if (names.front().empty() && !is_named) return verb.forms.front();
  if (words.empty()) {
    throw UsageError("{}: what to do is missing; one of: {}", verb.name, fmt::join(names, " "));
  }
  const auto found = std::find(names.begin(), names.end(), words.front());
  if (found == names.end()) {
    throw UsageError("{}: unknown \"{}\"; one of: {}{}", verb.name, words.front(),
                     fmt::join(names, " "), did_you_mean(words.front(), names));
  }
  words.erase(words.begin());
  return verb.forms[static_cast<std::size_t>(found - names.begin())];
}

int run_command_line(int argc, const char* const* argv) {
  RankStatus status;
  try {
    const ExitCode code = dispatch(argc, argv, status);
    finish_results();
    return static_cast<int>(code);
  } catch (...) {
    return report_failure(status, current_failure());
  }
}

}  // namespace ty
