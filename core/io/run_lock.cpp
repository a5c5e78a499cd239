#include "core/io/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "core/base/error.h"
#include "core/base/stopwatch.h"

namespace ty {

namespace {

std::string this_process() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return fmt::format("process {} on {}", ::getpid(), host.data());
}

// What the holder wrote into the file; printable characters only.
std::string holder(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t got = ::pread(descriptor, text.data(), text.size(), 0);
  std::string result;
  for (ssize_t i = 0; i < got; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c >= ' ' && c <= '~') result += c;
  }
  return result.empty() ? "another process" : result;
}

constexpr double kPatience = 5;  // seconds
constexpr auto kBetweenLooks = std::chrono::milliseconds(50);

// Whether the lock was to be had in time.
bool lock_in_time(int descriptor, const Path& path, const RunLock::Waiting& waiting) {
  const Stopwatch watch;
  for (bool said = false; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; said = true) {
    if (errno != EWOULDBLOCK) throw_io_error(path, "lock", errno);
    if (watch.seconds() > kPatience) return false;
    if (!said) waiting(holder(descriptor));
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return true;
}

}  // namespace

RunLock::Descriptor::~Descriptor() {
  if (number >= 0) ::close(number);
}

RunLock::RunLock(const Path& run_directory, const Waiting& waiting) {
  const Path path = run_directory / ".lock";
  descriptor_.number = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_.number < 0) throw_io_error(path, "open", errno);
  if (!lock_in_time(descriptor_.number, path, waiting)) {
    throw UsageError("{}: {} is working on this run; wait for it, or choose another run.dir",
                     run_directory.string(), holder(descriptor_.number));
  }
  // Only for the message above: a failure to write it changes nothing.
  const std::string who = this_process();
  if (::ftruncate(descriptor_.number, 0) == 0) {
    [[maybe_unused]] const ssize_t written =
        ::pwrite(descriptor_.number, who.data(), who.size(), 0);
  }
}

bool is_locked(const Path& run_directory) {
  const int descriptor = ::open((run_directory / ".lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool taken = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return taken;
}

}  // namespace ty
