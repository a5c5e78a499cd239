// hostile_test BINARY [KIND [INDEX]]: thousands of hostile inputs from a seed, each given to the
// binary. None may end it by a signal, with an internal error or without a word; none may take long
// or much memory; none that is accepted may give other numbers than the good file that it was made
// from.
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "core/base/error.h"
#include "core/io/file.h"
#include "tests/fuzz/trials.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

constexpr double kMostSeconds = 1.0, kMostMebibytes = 256;

// What is wrong with how an input was met; "" if nothing is.
std::string verdict(const Outcome& outcome, const Trial& trial) {
  static const std::set<int> kAllowed = {0, 64, 65, 74, 76, 78};
  if (outcome.signal != 0) return "ended by a signal";
  if (!kAllowed.contains(outcome.code)) return "exit code";
  if (outcome.seconds > kMostSeconds) return "too slow";
  if (outcome.mebibytes > kMostMebibytes) return "too much memory";
  if (outcome.code != 0 && outcome.err.find("trainyard: ") == std::string::npos)
    return "no message";
  for (const char c : outcome.err) {
    if (static_cast<unsigned char>(c) < 32 && c != '\n') return "control characters on stderr";
  }
  return outcome.code == 0 && trial.judge ? trial.judge(outcome) : "";
}

// One input; prints and returns what is wrong.
std::string run_one(const Corpus& corpus, const Kind& kind, std::uint64_t index) {
  const TempDir here;
  Choices choices(kind.name, index);
  Trial trial = kind.make(corpus, here.path(), choices);
  Words words = trial.words;
  words.insert(words.begin(), corpus.binary());
  Outcome outcome = run_program(words, here.path().string());
  std::string wrong = verdict(outcome, trial);
  if (wrong == "too slow") {  // the machine may have been busy
    outcome = run_program(words, here.path().string());
    wrong = verdict(outcome, trial);
  }
  if (wrong.empty()) return "";
  return fmt::format("{} {}: {}: {}\n    {}", kind.name, index, wrong, outcome.describe(),
                     fmt::join(trial.words, " "));
}

// All inputs of a kind, on two threads.
std::uint64_t run_kind(const Corpus& corpus, const Kind& kind) {
  std::atomic<std::uint64_t> next = 0, wrong = 0;
  std::mutex printing;
  const auto work = [&] {
    for (std::uint64_t i = next++; i < kind.inputs; i = next++) {
      const std::string line = run_one(corpus, kind, i);
      if (line.empty()) continue;
      ++wrong;
      const std::lock_guard lock(printing);
      fmt::print("{}\n", line);
    }
  };
  std::thread other(work);
  work();
  other.join();
  fmt::print("{:<16} {} inputs, {} wrong\n", kind.name, kind.inputs, wrong.load());
  std::fflush(stdout);
  return wrong;
}

int run_all(const std::vector<std::string>& arguments) {
  const Corpus corpus(std::filesystem::absolute(arguments.at(0)).string());
  std::uint64_t wrong = 0;
  for (const Kind& kind : kinds()) {
    if (arguments.size() > 1 && arguments[1] != kind.name) continue;
    if (arguments.size() > 2) {
      const std::string line = run_one(corpus, kind, std::stoull(arguments[2]));
      fmt::print("{}\n", line.empty() ? "as it should be" : line);
      wrong += line.empty() ? 0 : 1;
    } else {
      wrong += run_kind(corpus, kind);
    }
  }
  fmt::print("{} failed\n", wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ty::test

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: hostile_test BINARY [KIND [INDEX]]\n", stderr);
    return 64;
  }
  return ty::test::run_all({argv + 1, argv + argc});
}
