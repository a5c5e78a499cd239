#include "core/io/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/error.h"

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

}  // namespace

RunLock::RunLock(const Path& run_directory) {
  const Path path = run_directory / ".lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) throw_io_error(path, "open", errno);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error_number = errno;
    const std::string who = holder(descriptor_);
    ::close(descriptor_);
    if (error_number != EWOULDBLOCK) throw_io_error(path, "lock", error_number);
    throw UsageError("{}: {} is working on this run; wait for it, or choose another run.dir",
                     run_directory.string(), who);
  }
  // Only for the message above: a failure to write it changes nothing.
  const std::string who = this_process();
  if (::ftruncate(descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor_, who.data(), who.size(), 0);
  }
}

RunLock::~RunLock() { ::close(descriptor_); }

bool is_locked(const Path& run_directory) {
  const int descriptor = ::open((run_directory / ".lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool taken = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return taken;
}

}  // namespace ty
