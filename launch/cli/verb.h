// A verb of the command line, as data: its name, its arguments and the function that runs it. The
// dispatcher rejects, for all verbs alike, whatever can be recognised as wrong without running the
// verb.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "launch/cli/arguments.h"
#include "launch/process/rank.h"

namespace ty {

// One of the forms of a verb.
struct Form {
  std::string name;        // the word after the verb that selects it; empty: the only form
  std::size_t most_words;  // after that word, not counting overrides
  ExitCode (*run)(const Arguments& arguments, RankStatus& status);
  bool takes_overrides = false;  // words like optim.lr=1e-3 are overrides of a job file
  bool shares_work = false;      // the ranks of a job share its work
  bool is_alone = false;         // of several ranks each would write the same
  std::string hint = {};         // what an excess word may have been meant as
};

struct Verb {
  std::string name;
  std::string synopsis;  // after the name: "CONFIG [key=value ...]"
  std::string help;      // one sentence
  std::vector<OptionSpec> options;
  std::vector<Form> forms;
  bool passes_on = false;  // from the first word on, all belongs to another command
};

// All verbs, in the order in which help lists them.
std::span<const Verb> verbs();

// The verb of that name; throws UsageError that lists all verbs.
const Verb& find_verb(const std::string& name);
// The form selected by the words after a verb; removes its name from `words`. Throws UsageError if
// they select none.
const Form& take_form(const Verb& verb, std::vector<std::string>& words);

// Parses and runs a whole command line; prints help and errors. Returns the exit code of the
// process.
int run_command_line(int argc, const char* const* argv);

}  // namespace ty
