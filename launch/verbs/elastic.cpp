#include "launch/verbs/elastic.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "core/base/stopwatch.h"
#include "core/io/checkpoint.h"
#include "launch/job/job_config.h"
#include "launch/process/guarded_child.h"
#include "launch/process/output.h"
#include "launch/run/regroup.h"

namespace ty {

namespace {

constexpr std::size_t kMaxHostBytes = std::size_t{1} << 20;
constexpr std::uint64_t kTailBytes = std::uint64_t{1} << 16;  // of metrics.jsonl: many lines
constexpr int kMostAlike = 3;  // losses in a row without a new checkpoint

// Whether a start on other ranks may go on: a peer was lost, or a signal ended a process that
// nobody had asked to stop.
bool is_loss(ExitCode code) {
  const int signal = static_cast<int>(code) - 128;
  constexpr int kHangup = 1, kInterrupt = 2, kTerminate = 15;
  if (code == ExitCode::peer_lost) return true;
  return signal > 0 && signal != kHangup && signal != kInterrupt && signal != kTerminate;
}

std::string how(ExitCode code) {
  if (code == ExitCode::peer_lost) return "a rank was lost or hung";
  return fmt::format("signal {} ended a process", static_cast<int>(code) - 128);
}

// The last step in a run's metrics; 0 if there is none.
std::int64_t last_logged_step(const Path& run) {
  const Path file = run / "metrics.jsonl";
  if (!std::filesystem::exists(file)) return 0;
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  const std::size_t tail = std::min<std::size_t>(bytes.size(), kTailBytes);
  std::istringstream lines(
      std::string(reinterpret_cast<const char*>(bytes.data() + bytes.size() - tail), tail));
  std::int64_t last = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("loss")) last = json.value("step", last);
  }
  return last;
}

std::int64_t newest_step(const Path& run) {
  const auto newest = newest_valid(run / "checkpoints").checkpoint;
  return newest ? newest->step : 0;
}

class Elastic {
 public:
  Elastic(const ElasticOptions& options, const std::vector<std::string>& words,
          const MpiCommand& command)
      : options_(options), words_(words), command_(command) {
    if (words.size() < 2 || words[0] != "train") {
      throw UsageError(
          "launch: --elastic restarts runs: want launch --elastic -n 4 train "
          "CONFIG ...");
    }
    job_ = load_job(words[1], {words.begin() + 2, words.end()});
  }

  ExitCode run() {
    std::int64_t ranks = wanted_ranks(options_.ranks);
    while (true) {
      const ExitCode code = start(ranks);
      const bool regroups = code == ExitCode::terminated && hosts_changed_;
      if (!regroups && !is_loss(code)) return code;
      if (!regroups && !may_restart(code)) return ExitCode::peer_lost;
      const std::int64_t before = ranks;
      ranks = regroups || hosts_differ() ? wanted_ranks(ranks) : ranks - 1;
      if (ranks < options_.least) return too_few(ranks);
      say(code, regroups, before, ranks);
    }
  }

 private:
  // As many as the host file has room for.
  std::int64_t wanted_ranks(std::int64_t otherwise) {
    if (options_.hosts.empty()) return otherwise;
    hosts_ = read_text_file(options_.hosts, kMaxHostBytes);
    return slots_in(options_.hosts);
  }
  bool hosts_differ() const {
    return !options_.hosts.empty() && read_text_file(options_.hosts, kMaxHostBytes) != hosts_;
  }

  // On so many ranks, or the next smaller number that some layout can use.
  ExitCode start(std::int64_t& ranks) {
    std::optional<config::Overrides> layout;
    const std::int64_t asked = ranks;
    for (; ranks >= options_.least && !layout; ranks -= layout ? 0 : 1) {
      layout = regrouped(job_, static_cast<int>(ranks));
    }
    if (!layout && used_ > 0) return too_few(ranks);
    if (!layout) ranks = asked;
    std::vector<std::string> words = words_;  // of a job that cannot run at all, it says why itself
    if (layout) words.insert(words.end(), layout->begin(), layout->end());
    hosts_changed_ = false;
    newest_ = newest_step(job_.run.dir);
    return run_guarded(command_(ranks, words),
                       [this] { return hosts_changed_ = hosts_changed_ || hosts_differ(); });
  }

  bool may_restart(ExitCode code) {
    const std::int64_t newest = newest_step(job_.run.dir);
    alike_ = newest > newest_ ? 1 : alike_ + 1;
    if (alike_ >= kMostAlike) {
      remark(
          fmt::format("trainyard: launch: {}, {} times in a row without a new checkpoint after "
                      "step {}; not started again",
                      how(code), alike_, newest));
      return false;
    }
    if (used_ >= options_.restarts) {
      remark(
          fmt::format("trainyard: launch: {}; all {} restarts are used up, run the same command "
                      "to go on",
                      how(code), options_.restarts));
      return false;
    }
    ++used_;
    return true;
  }

  ExitCode too_few(std::int64_t ranks) const {
    remark(
        fmt::format("trainyard: launch: no layout of {} ranks or fewer, down to {}, can run "
                    "this job",
                    ranks, options_.least));
    return ExitCode::peer_lost;
  }

  void say(ExitCode code, bool regroups, std::int64_t before, std::int64_t ranks) const {
    const std::int64_t step = newest_step(job_.run.dir);
    if (regroups) {
      return remark(
          fmt::format("trainyard: launch: {} has changed; going on after step {} with {} "
                      "ranks instead of {}",
                      options_.hosts.string(), step, ranks, before));
    }
    const std::int64_t lost = std::max<std::int64_t>(last_logged_step(job_.run.dir) - step, 0);
    remark(
        fmt::format("trainyard: launch: {}; going on after step {} with {} ranks instead of {}, "
                    "restart {} of {}; {} steps are lost",
                    how(code), step, ranks, before, used_, options_.restarts, lost));
  }

  const ElasticOptions& options_;
  const std::vector<std::string>& words_;
  const MpiCommand& command_;
  JobConfig job_;
  std::string hosts_;  // the file's text at the last start
  bool hosts_changed_ = false;
  std::int64_t newest_ = 0;  // checkpoint at the last start
  std::int64_t used_ = 0;    // restarts
  int alike_ = 0;
};

}  // namespace

std::int64_t slots_in(const Path& hosts) {
  std::istringstream lines(read_text_file(hosts, kMaxHostBytes));
  std::int64_t sum = 0;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, word;
    if (!(words >> name)) continue;
    std::int64_t slots = 1;
    while (words >> word) {
      if (!word.starts_with("slots=")) continue;
      slots = std::atoll(word.c_str() + 6);
      if (slots < 1) {
        throw DataError("{}:{}: {} has {}; want slots=1 or more", hosts.string(), number, name,
                        word);
      }
    }
    sum += slots;
  }
  if (sum == 0) throw DataError("{}: names no host; want lines NAME slots=N", hosts.string());
  return sum;
}

ExitCode run_elastic(const ElasticOptions& options, const std::vector<std::string>& words,
                     const MpiCommand& command) {
  return Elastic(options, words, command).run();
}

}  // namespace ty
