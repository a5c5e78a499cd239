// A verb of the command line, as data: what it is called, what it takes, what runs it. What can be
// known to be wrong without running it is refused by the dispatcher, for all verbs alike.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "launch/cli/arguments.h"
#include "launch/process/rank.h"

namespace ty {

// One of the things that a verb does.
struct Form {
  std::string name;        // the word after the verb that picks it; empty: the verb has no other
  std::size_t most_words;  // after that, overrides apart
  ExitCode (*run)(const Arguments& arguments, RankStatus& status);
  bool takes_overrides = false;  // words like optim.lr=1e-3 are overrides of a job file
  bool shares_work = false;      // among the ranks of a job
  std::string hint = {};         // what may have been meant by a word too many
};

struct Verb {
  std::string name;
  std::string synopsis;  // after the name: "CONFIG [key=value ...]"
  std::string help;      // one sentence
  std::vector<OptionSpec> options;
  std::vector<Form> forms;
  bool passes_on = false;  // words from the first one on are another command's, options included
};

// All verbs, in the order in which help lists them.
std::span<const Verb> verbs();

// The verb of that name; throws UsageError that says which there are.
const Verb& find_verb(const std::string& name);
// The form that the words after a verb pick, and `words` without its name; throws UsageError if
// they pick none.
const Form& take_form(const Verb& verb, std::vector<std::string>& words);

// Parses and runs a whole command line; prints help and errors. Returns the process's exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace ty
