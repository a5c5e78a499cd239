#include "launch/verbs/elastic.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

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

// The slots of all hosts of a file with this text.
std::int64_t slots_in_text(const std::string& text, const Path& hosts) {
  std::istringstream lines(text);
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
    std::int64_t ranks = options_.ranks;
    if (!options_.hosts.empty()) {
      hosts_ = read_text_file(options_.hosts, kMaxHostBytes);
      ranks = slots_in_text(hosts_, options_.hosts);
    }
    const std::int64_t asked = ranks;
    if (!find_layout(ranks)) ranks = asked;  // a job that cannot run at all says why itself
    while (true) {
      const ExitCode code = start(ranks);
      const bool regroups = code == ExitCode::terminated && hosts_changed_;
      if (!regroups && !is_loss(code)) return code;
      if (!regroups && !may_restart(code)) return ExitCode::peer_lost;
      const std::int64_t before = ranks;
      const std::optional<std::string> hosts = changed_hosts();
      if (hosts) hosts_ = *hosts;
      if (hosts) ranks = slots_in_text(hosts_, options_.hosts);
      if (!hosts && !regroups) --ranks;
      const std::int64_t most = ranks;
      if (!find_layout(ranks)) return too_few(most);
      say(code, regroups, before, ranks);
    }
  }

 private:
  // The host file's text if it differs from that of the last start. One that is being replaced, and
  // so is missing or names no hosts for a moment, has not changed yet.
  std::optional<std::string> changed_hosts() const {
    if (options_.hosts.empty()) return std::nullopt;
    try {
      const std::string text = read_text_file(options_.hosts, kMaxHostBytes);
      slots_in_text(text, options_.hosts);
      return text != hosts_ ? std::optional(text) : std::nullopt;
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  // Lowers `ranks` to the next number that some layout can use; false if there is none.
  bool find_layout(std::int64_t& ranks) {
    for (; ranks >= options_.least; --ranks) {
      const auto layout = regrouped(job_, static_cast<int>(ranks));
      if (!layout) continue;
      layout_ = *layout;
      return true;
    }
    return false;
  }

  ExitCode start(std::int64_t ranks) {
    std::vector<std::string> words = words_;
    words.insert(words.end(), layout_.begin(), layout_.end());
    hosts_changed_ = false;
    newest_ = newest_step(job_.run.dir);
    return run_guarded(command_(ranks, words), {.wants_end = [this] {
                         return hosts_changed_ = hosts_changed_ || changed_hosts().has_value();
                       }});
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
                      "ranks instead of {} ({})",
                      options_.hosts.string(), step, ranks, before, fmt::join(layout_, " ")));
    }
    const std::int64_t lost = std::max<std::int64_t>(last_logged_step(job_.run.dir) - step, 0);
    remark(fmt::format(
        "trainyard: launch: {}; going on after step {} with {} ranks instead of {} "
        "({}), restart {} of {}; {} steps are lost",
        how(code), step, ranks, before, fmt::join(layout_, " "), used_, options_.restarts, lost));
  }

  const ElasticOptions& options_;
  const std::vector<std::string>& words_;
  const MpiCommand& command_;
  JobConfig job_;
  config::Overrides layout_;  // of the next start
  std::string hosts_;         // the file's text at the last start
  bool hosts_changed_ = false;
  std::int64_t newest_ = 0;  // checkpoint at the last start
  std::int64_t used_ = 0;    // restarts
  int alike_ = 0;
};

}  // namespace

std::int64_t slots_in(const Path& hosts) {
  return slots_in_text(read_text_file(hosts, kMaxHostBytes), hosts);
}

ExitCode run_elastic(const ElasticOptions& options, const std::vector<std::string>& words,
                     const MpiCommand& command) {
  return Elastic(options, words, command).run();
}

}  // namespace ty
