// A verb of the command line, as data: what it is called, what it takes, what runs it.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "launch/rank.h"

namespace ty {

struct OptionSpec {
  std::string name;   // "--prompt"
  std::string value;  // placeholder of its value; empty: a flag
  std::string help;
  bool repeats = false;  // may be given several times; the values are joined by commas
};

// What the user typed after the verb.
class Arguments {
 public:
  std::vector<std::string> words;              // neither options nor overrides, in order
  std::vector<std::string> overrides;          // dotted.key=value
  std::map<std::string, std::string> options;  // by name; "" for a flag
  std::vector<std::string> argv;               // everything, for the run's manifest

  bool flag(const std::string& name) const { return options.contains(name); }
  std::string text(const std::string& name, const std::string& otherwise) const;
  // Throw UsageError that names the option if the value is no number.
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  double number(const std::string& name, double otherwise) const;
  // The value cut at its commas; none if the option was not given.
  std::vector<std::string> list(const std::string& name) const;
  // Throw UsageError that names the option if a part of the list is no number.
  std::vector<std::int64_t> integers(const std::string& name) const;
  // Word i; throws UsageError "VERB: WHAT is missing" if there are fewer.
  const std::string& word(std::size_t i, std::string_view what) const;
  // Throws UsageError for the first word beyond so many, with a hint on what may have been meant.
  void at_most(std::size_t count, std::string_view hint = "") const;
};

struct Verb {
  std::string name;
  std::string synopsis;  // after the name: "CONFIG [key=value ...]"
  std::string help;      // one sentence
  std::vector<OptionSpec> options;
  bool takes_overrides = false;  // words like optim.lr=1e-3 are overrides of a job file
  ExitCode (*run)(const Arguments& arguments, RankStatus& status);
  bool passes_on = false;  // words from the first one on are another command's, options included
};

// All verbs, in the order in which help lists them.
std::span<const Verb> verbs();

// Parses and runs a whole command line; prints help and errors. Returns the process's exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace ty
