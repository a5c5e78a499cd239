#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <limits>

#include "core/base/machine.h"
#include "launch/job/limits.h"
#include "launch/process/guarded_child.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

// mpirun with settings that work on one machine: waiting ranks yield their core, ranks are not
// bound to one core each, and threads share the cores. Ranks say themselves what is wrong.
std::vector<std::string> command_line(std::int64_t ranks, const std::vector<std::string>& rest) {
  std::vector<std::string> words = {
      "mpirun",  "--quiet", "-n",    std::to_string(ranks), "--bind-to", "none",
      "--stdin", "none",    "--mca", "mpi_yield_when_idle", "1"};
  if (ranks > usable_cores()) words.emplace_back("--oversubscribe");
  words.push_back(std::filesystem::read_symlink("/proc/self/exe").string());
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

// Several copies of work that ranks do not share would only repeat it.
void check_shares_work(const Arguments& arguments) {
  const Verb& verb = find_verb(arguments.word(0, "the verb to run"));
  std::vector<std::string> words(arguments.words.begin() + 1, arguments.words.end());
  const Form& form = take_form(verb, words);
  if (form.shares_work) return;
  throw UsageError("launch: {} does its work in one process; run it without launch",
                   form.name.empty() ? verb.name : verb.name + " " + form.name);
}

ExitCode run_launch(const Arguments& arguments, RankStatus&) {
  if (!arguments.flag("-n")) {
    throw UsageError("launch: -n RANKS is missing; as in launch -n 2 train job.yaml");
  }
  check_shares_work(arguments);
  const std::int64_t ranks = arguments.integer("-n", 1);
  const std::vector<std::string> words = command_line(ranks, arguments.words);
  if (arguments.flag("--dry-run")) {
    fmt::print("{}\n", fmt::join(words, " "));
    return ExitCode::ok;
  }
  const std::string threads = std::to_string(threads_per_process(ranks));
  setenv("OMP_NUM_THREADS", threads.c_str(), 0);
  if (geteuid() == 0) {  // mpirun refuses to start as root unless told twice
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  }
  return run_guarded(words);
}

}  // namespace

const Verb& launch_verb() {
  static const Verb verb = {
      "launch",
      "-n RANKS VERB [arguments ...]",
      "Run a verb on several ranks of this machine, under mpirun",
      {{"-n", "RANKS", "number of ranks", kInteger, config::between(1, kMostRanks)},
       {"--dry-run", "", "print the command line instead"}},
      {{.name = "", .most_words = std::numeric_limits<std::size_t>::max(), .run = run_launch}},
      true};
  return verb;
}

}  // namespace ty
