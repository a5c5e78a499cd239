// The only file that knows the command-line library.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <new>

#include "core/base/suggest.h"
#include "launch/verb.h"

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

// Adds a verb's options to a sub-command; values land in `arguments`.
CLI::App* add_verb(CLI::App& app, const Verb& verb, Arguments& arguments,
                   std::vector<std::string>& words) {
  CLI::App* sub = app.add_subcommand(verb.name, verb.help);
  sub->formatter(std::make_shared<HelpText>(verb.name + " " + verb.synopsis));
  if (verb.passes_on) {
    sub->prefix_command();
  } else {
    sub->add_option("words", words, "")->group("");
  }
  for (const OptionSpec& option : verb.options) {
    if (option.repeats) {
      sub->add_option_function<std::vector<std::string>>(
             option.name,
             [&](const std::vector<std::string>& values) {
               arguments.options[option.name] = fmt::format("{}", fmt::join(values, ","));
             },
             option.help)
          ->allow_extra_args(false)
          ->type_name(option.value);
    } else if (option.value.empty()) {
      sub->add_flag_callback(
          option.name, [&] { arguments.options[option.name] = ""; }, option.help);
    } else {
      sub->add_option_function<std::string>(
             option.name, [&](const std::string& value) { arguments.options[option.name] = value; },
             option.help)
          ->type_name(option.value);
    }
  }
  return sub;
}

void check_verb(int argc, const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) names.push_back(verb.name);
  if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return;
  throw UsageError("unknown verb \"{}\"; one of: {}{}", argv[1], fmt::join(names, " "),
                   did_you_mean(argv[1], names));
}

ExitCode dispatch(int argc, const char* const* argv, RankStatus& status) {
  check_verb(argc, argv);
  CLI::App app("trainyard: train and compress transformers on one process or many");
  app.name("trainyard");
  app.formatter(std::make_shared<HelpText>("VERB [CONFIG] [dotted.key=value ...] [options]"));
  app.require_subcommand(1);
  app.failure_message(
      [](const CLI::App*, const CLI::Error& error) { return std::string(error.what()); });
  Arguments arguments;
  arguments.argv.assign(argv, argv + argc);
  std::vector<std::string> words;
  std::vector<std::pair<CLI::App*, const Verb*>> subs;
  for (const Verb& verb : verbs()) subs.emplace_back(add_verb(app, verb, arguments, words), &verb);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    app.exit(help);
    return ExitCode::ok;
  } catch (const CLI::ParseError& error) {
    throw UsageError("{}; see trainyard --help", error.what());
  }
  for (const auto& [sub, verb] : subs) {
    if (!sub->parsed()) continue;
    if (verb->passes_on) words = sub->remaining();
    for (const std::string& word : words) {
      const bool override = verb->takes_overrides && is_override(word);
      (override ? arguments.overrides : arguments.words).push_back(word);
    }
    return verb->run(arguments, status);
  }
  return ExitCode::usage;
}

}  // namespace

std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  const auto found = options.find(name);
  return found == options.end() ? otherwise : found->second;
}

namespace {

std::int64_t parse_integer(const std::string& name, const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc() || stop != end) {
    throw UsageError("{}: \"{}\" is not a whole number", name, text);
  }
  return value;
}

}  // namespace

std::int64_t Arguments::integer(const std::string& name, std::int64_t otherwise) const {
  const auto found = options.find(name);
  return found == options.end() ? otherwise : parse_integer(name, found->second);
}

std::vector<std::string> Arguments::list(const std::string& name) const {
  std::vector<std::string> parts;
  const auto found = options.find(name);
  if (found == options.end()) return parts;
  std::string_view rest = found->second;
  while (true) {
    const std::size_t comma = rest.find(',');
    parts.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<std::int64_t> Arguments::integers(const std::string& name) const {
  std::vector<std::int64_t> values;
  for (const std::string& part : list(name)) values.push_back(parse_integer(name, part));
  return values;
}

double Arguments::number(const std::string& name, double otherwise) const {
  const auto found = options.find(name);
  if (found == options.end()) return otherwise;
  double value = 0;
  const char* end = found->second.data() + found->second.size();
  const auto [stop, fault] = std::from_chars(found->second.data(), end, value);
  if (fault != std::errc() || stop != end) {
    throw UsageError("{}: \"{}\" is not a number", name, found->second);
  }
  return value;
}

const std::string& Arguments::word(std::size_t i, std::string_view what) const {
  if (i >= words.size()) {
    throw UsageError("{}: {} is missing; see trainyard {} --help", argv[1], what, argv[1]);
  }
  return words[i];
}

void Arguments::at_most(std::size_t count, std::string_view hint) const {
  if (words.size() <= count) return;
  throw UsageError("{}: \"{}\" is one word too many; {}", argv[1], words[count],
                   hint.empty() ? fmt::format("see trainyard {} --help", argv[1]) : hint);
}

int run_command_line(int argc, const char* const* argv) {
  RankStatus status;
  try {
    return static_cast<int>(dispatch(argc, argv, status));
  } catch (const Error& error) {
    return report_failure(status, error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return report_failure(status, ExitCode::out_of_memory,
                          "the system has no memory left; lower data.batch, "
                          "raise parallel.microbatches or recompute");
  } catch (const std::exception& error) {
    return report_failure(status, ExitCode::internal, error.what());
  }
}

}  // namespace ty
