#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <limits>

#include "core/base/machine.h"
#include "launch/job/limits.h"
#include "launch/process/guarded_child.h"
#include "launch/verbs/elastic.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

// mpirun with settings that work on one machine: waiting ranks yield their core, ranks are not
// bound to one core each, and threads share the cores. Ranks say themselves what is wrong.
std::vector<std::string> command_line(std::int64_t ranks, const std::vector<std::string>& rest,
                                      const std::string& hosts) {
  std::vector<std::string> words = {
      "mpirun",  "--quiet", "-n",    std::to_string(ranks), "--bind-to", "none",
      "--stdin", "none",    "--mca", "mpi_yield_when_idle", "1"};
  if (!hosts.empty()) {
    words.insert(words.end(), {"--hostfile", hosts});
  } else if (ranks > usable_cores()) {
    words.emplace_back("--oversubscribe");
  }
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
  const std::string hosts = arguments.text("--hostfile", "");
  if (!arguments.flag("-n") && hosts.empty()) {
    throw UsageError("launch: -n RANKS is missing; as in launch -n 2 train job.yaml");
  }
  check_shares_work(arguments);
  const std::int64_t ranks = arguments.integer("-n", hosts.empty() ? 1 : slots_in(hosts));
  const std::vector<std::string> words = command_line(ranks, arguments.words, hosts);
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
  if (!arguments.flag("--elastic")) return run_guarded(words);
  const ElasticOptions options = {.ranks = ranks,
                                  .least = arguments.integer("--min-ranks", 1),
                                  .restarts = arguments.integer("--restarts", 10),
                                  .hosts = hosts};
  return run_elastic(options, arguments.words,
                     [&](std::int64_t n, const std::vector<std::string>& rest) {
                       return command_line(n, rest, hosts);
                     });
}

}  // namespace

const Verb& launch_verb() {
  static const Verb verb = {
      "launch",
      "-n RANKS [--elastic] VERB [arguments ...]",
      "Run a verb on several ranks, under mpirun",
      {{"-n", "RANKS", "number of ranks", kInteger, config::between(1, kMostRanks)},
       {"--hostfile", "FILE", "hosts, one per line: NAME slots=N; default: this machine"},
       {"--elastic", "", "train: go on with the ranks that are left when some are lost"},
       {"--restarts", "N", "with --elastic: at most so often; default 10", kInteger,
        config::at_least(0)},
       {"--min-ranks", "N", "with --elastic: end when fewer are left; default 1", kInteger,
        config::at_least(1)},
       {"--dry-run", "", "print the command line instead"}},
      {{.name = "", .most_words = std::numeric_limits<std::size_t>::max(), .run = run_launch}},
      true};
  return verb;
}

}  // namespace ty
