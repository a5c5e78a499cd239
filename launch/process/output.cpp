#include "launch/process/output.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>

#include "core/base/error.h"

namespace ty {

namespace {
constexpr int kPatience = 1000;  // milliseconds
}  // namespace

bool Remarks::has_room(int milliseconds) const {
  pollfd wanted = {.fd = descriptor_, .events = POLLOUT, .revents = 0};
  return ::poll(&wanted, 1, milliseconds) > 0 && (wanted.revents & POLLOUT) != 0;
}

bool Remarks::deliver(std::string_view text, int milliseconds) const {
  while (!text.empty()) {
    if (!has_room(milliseconds)) return false;
    // A pipe that has room takes so many bytes without waiting.
    const ssize_t written =
        ::write(descriptor_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return true;  // lost for good
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  return true;
}

void Remarks::write(std::string_view text) {
  if (lost_ > 0 && has_room(0)) {
    deliver(fmt::format("({} lines were not shown: nobody read them)\n", lost_), 0);
    lost_ = 0;
  }
  if (!deliver(text, lost_ > 0 ? 0 : kPatience)) {
    lost_ += std::max<std::int64_t>(1, std::count(text.begin(), text.end(), '\n'));
  }
}

void remark(std::string_view line) { Remarks(STDERR_FILENO).write(fmt::format("{}\n", line)); }

std::string lost_results() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return "";
  return fmt::format("stdout: cannot write the result: {}; give it a file or pipe that takes it",
                     std::generic_category().message(errno));
}

void finish_results() {
  if (const std::string why = lost_results(); !why.empty()) throw IoError("{}", why);
}

void outlive_readers() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace ty
