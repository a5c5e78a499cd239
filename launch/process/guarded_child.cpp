#include "launch/process/guarded_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "core/io/file.h"
#include "launch/process/dead_children.h"
#include "launch/process/output.h"

namespace ty {

namespace {

// A pipe whose ends this process closes by itself; a started program inherits neither.
struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_io_error("pipe", "make it", errno);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
  }
  void close_writing_end() { close(std::exchange(ends[1], -1)); }
  std::array<int, 2> ends;  // to read, to write
};

// Signals that come to this process as events; SIGHUP not if it is ignored, as under nohup.
sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM}) sigaddset(&set, signal);
  struct sigaction hangup = {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  return set;
}

// In the child. Comes back only if the program cannot be started.
void become(const std::vector<std::string>& words, pid_t parent, const sigset_t& mask, int err) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  if (getppid() != parent) _exit(static_cast<int>(ExitCode::terminated));  // gone already
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  dup2(err, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
}

class Child {
 public:
  Child(const std::vector<std::string>& words, const sigset_t& mask) {
    Pipe failed;  // closed by a successful start, else told the errno
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) throw_io_error(words[0], "start", errno);
    if (pid_ == 0) {
      become(words, parent, mask, err_.ends[1]);
      const int why = errno;
      [[maybe_unused]] const ssize_t told = write(failed.ends[1], &why, sizeof(why));
      _exit(127);
    }
    failed.close_writing_end();
    err_.close_writing_end();
    fcntl(err_.ends[0], F_SETFL, O_NONBLOCK);
    int why = 0;
    if (read(failed.ends[0], &why, sizeof(why)) != sizeof(why)) return;
    waitpid(pid_, nullptr, 0);
    throw UsageError("launch: {}: {}; install openmpi-bin", words[0], std::strerror(why));
  }

  int stderr_descriptor() const { return err_.ends[0]; }
  void send(int signal) const { kill(pid_, signal); }
  pid_t pid() const { return pid_; }
  // Its status, if it has ended.
  std::optional<int> status() const {
    int status = 0;
    return waitpid(pid_, &status, WNOHANG) == pid_ ? std::optional(status) : std::nullopt;
  }
  // Passes on what it has said and not been heard; false if that is nothing.
  bool relay(Remarks& remarks) const {
    std::array<char, 1 << 14> text;
    const ssize_t got = read(stderr_descriptor(), text.data(), text.size());
    if (got > 0) remarks.write(std::string_view(text.data(), static_cast<std::size_t>(got)));
    return got > 0;
  }

 private:
  Pipe err_;
  pid_t pid_ = -1;
};

bool is_failure_of_ours(int code) {
  return code >= static_cast<int>(ExitCode::usage) && code <= static_cast<int>(ExitCode::config);
}

constexpr int kLookEvery = 1000;  // milliseconds

// A rank that was asked to stop by itself has said so.
bool is_polite(ExitCode code) {
  return code == ExitCode::interrupted || code == ExitCode::terminated || code == ExitCode::hung_up;
}

std::string reason_for(ExitCode code) {
  const int number = static_cast<int>(code), signal = number - 128;
  if (signal > 0 && signal < SIGRTMIN) {
    return fmt::format(
        "signal {} ({}) has ended a process of the job; run the same command to go on", signal,
        strsignal(signal));
  }
  return fmt::format(
      "mpirun ended with exit code {}; to hear why, run what `launch --dry-run` prints without "
      "--quiet",
      number);
}

// A job that was asked to stop may still have ended by itself.
ExitCode exit_code(int status, int stop_signal) {
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  const bool stopped = stop_signal != 0 && code != 0 && !is_failure_of_ours(code);
  return static_cast<ExitCode>(stopped ? 128 + stop_signal : code);
}

// What happens while a child runs.
class ChildWatch {
 public:
  ChildWatch(const std::vector<std::string>& words, const sigset_t& awaited, const sigset_t& before,
             const GuardOptions& options)
      : child_(words, before), options_(options), signals_(signalfd(-1, &awaited, SFD_CLOEXEC)) {}
  ChildWatch(const ChildWatch&) = delete;
  ChildWatch& operator=(const ChildWatch&) = delete;
  ~ChildWatch() { close(signals_); }

  ExitCode until_it_ends() {
    while (true) {
      std::array<pollfd, 2> events = {{{signals_, POLLIN, 0}, {listening_, POLLIN, 0}}};
      if (poll(events.data(), events.size(), kLookEvery) < 0) continue;
      if (const auto code = code_if_forgotten()) return end_of_forgotten(*code);
      if (!was_ended_ && options_.wants_end && options_.wants_end()) {
        was_ended_ = true;
        child_.send(SIGUSR1);
      }
      if (events[1].revents != 0 && !child_.relay(remarks_)) listening_ = -1;  // it has closed it
      if (events[0].revents == 0) continue;
      if (const auto status = take_signal()) return end(*status);
    }
  }

 private:
  // The child's status if the signal was that of its end.
  std::optional<int> take_signal() {
    signalfd_siginfo info = {};
    if (read(signals_, &info, sizeof(info)) != sizeof(info)) return std::nullopt;
    if (info.ssi_signo != SIGCHLD) {
      stop(static_cast<int>(info.ssi_signo));
      return std::nullopt;
    }
    const std::optional<int> status = child_.status();
    while (status && child_.relay(remarks_)) {
    }
    return status;
  }

  // The code of the child's children, if all of them ended a while ago and it has not.
  std::optional<int> code_if_forgotten() {
    const std::optional<int> code = code_of_dead_children(child_.pid());
    const auto now = std::chrono::steady_clock::now();
    if (!code) dead_since_.reset();
    if (code && !dead_since_) dead_since_ = now;
    return dead_since_ && now - *dead_since_ >= options_.patience ? code : std::nullopt;
  }

  ExitCode end_of_forgotten(int code) {
    child_.send(SIGKILL);
    while (!child_.status()) poll(nullptr, 0, 10);
    while (child_.relay(remarks_)) {
    }
    remarks_.write(
        "warning: mpirun did not notice that all its processes had ended; it was killed\n");
    return static_cast<ExitCode>(code);
  }

  ExitCode end(int status) {
    const ExitCode code = exit_code(status, stop_signal_);
    const bool is_explained = code == ExitCode::ok || stop_signal_ != 0 || is_polite(code) ||
                              is_failure_of_ours(static_cast<int>(code)) ||
                              (options_.wants_end && static_cast<int>(code) > 128);
    if (!is_explained) remarks_.write(fmt::format("trainyard: launch: {}\n", reason_for(code)));
    return code;
  }

  void stop(int signal) {
    const bool is_first = std::exchange(stop_signal_, signal) == 0;
    child_.send(is_first ? SIGUSR1 : SIGTERM);
    if (!is_first) return;
    remarks_.write("stopping: every rank saves after this step; a second signal ends the job\n");
  }

  Child child_;
  const GuardOptions& options_;
  bool was_ended_ = false;
  int signals_;
  int listening_ = child_.stderr_descriptor();
  Remarks remarks_{STDERR_FILENO};
  int stop_signal_ = 0;
  std::optional<std::chrono::steady_clock::time_point> dead_since_;  // all of the child's children
};

}  // namespace

ExitCode run_guarded(const std::vector<std::string>& words, const GuardOptions& options) {
  outlive_readers();
  const sigset_t awaited = awaited_signals();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &awaited, &before);
  // They stay blocked between two children, so that one that comes then stops the next; a child
  // must not inherit that.
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) {
    if (sigismember(&awaited, signal) == 1) sigdelset(&before, signal);
  }
  return ChildWatch(words, awaited, before, options).until_it_ends();
}

}  // namespace ty
