#include "core/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

const char* next_action(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another directory";
    case ENOENT:
      return "check the path";
    case ENOTDIR:
      return "a part of the path is a file; check the path";
    case EACCES:
    case EPERM:
      return "check the owner and the mode, or choose another directory";
    case EROFS:
      return "choose a directory on a writable file system";
    case EISDIR:
      return "a file is wanted here, not a directory";
    case ELOOP:
      return "it is a symbolic link where none may be, or one that leads in a circle";
    case ENAMETOOLONG:
      return "shorten the path";
    case ENXIO:
      return "a plain file is wanted here";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n)";
    case EFBIG:
      return "raise the limit on file size (ulimit -f)";
    default:
      return "check the disk and the mount (dmesg), then run again";
  }
}

Path directory_of(const Path& path) {
  return path.has_parent_path() ? path.parent_path() : Path(".");
}

// The result of a system call that is repeated while signals interrupt it.
template <typename Call>
auto retry(Call&& call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

int open_or_throw(const Path& path, int flags, std::string_view what) {
  const int descriptor = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); });
  if (descriptor < 0) throw_io_error(path, what, errno);
  return descriptor;
}

}  // namespace

std::string io_error_text(const Path& path, std::string_view what, int error_number) {
  std::string cause = std::generic_category().message(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT) {
    struct statvfs info {};
    if (::statvfs(directory_of(path).c_str(), &info) == 0) {
      cause += fmt::format(" ({} bytes free there)", info.f_bavail * info.f_frsize);
    }
  }
  return fmt::format("{}: cannot {}: {}; {}", path.string(), what, cause,
                     next_action(error_number));
}

void throw_io_error(const Path& path, std::string_view what, int error_number) {
  throw IoError("{}", io_error_text(path, what, error_number));
}

File::File(Path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

File File::create(const Path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) throw_io_error(path, "create", EISDIR);
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) {
      throw IoError("{}: cannot create: something that is no plain file lies there; name another",
                    path.string());
    }
    if (::unlink(path.c_str()) != 0) throw_io_error(path, "replace", errno);
  }
  return File(path, open_or_throw(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, "create"));
}

File File::open(const Path& path, Links links) {
  // O_NONBLOCK: a named pipe in place of a file must be an error, not a wait.
  const int flags = O_RDONLY | O_NONBLOCK | (links == Links::refuse ? O_NOFOLLOW : 0);
  File file(path, open_or_throw(path, flags, "open"));
  file.require_regular();
  return file;
}

File File::append(const Path& path) {
  File file(path, open_or_throw(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, "open"));
  file.require_regular();
  return file;
}

void File::require_regular() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) throw_io_error(path_, "inspect", errno);
  if (S_ISDIR(info.st_mode)) throw_io_error(path_, "open", EISDIR);
  if (!S_ISREG(info.st_mode)) throw IoError("{}: cannot open: not a regular file", path_.string());
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void File::write_all(std::span<const std::byte> bytes) {
  // Linux writes at most 2^31 - 4096 bytes a call anyway.
  constexpr std::size_t kMost = std::size_t{1} << 30;
  while (!bytes.empty()) {
    const ssize_t written =
        retry([&] { return ::write(descriptor_, bytes.data(), std::min(bytes.size(), kMost)); });
    if (written <= 0) {
      throw_io_error(path_, fmt::format("write {} bytes", bytes.size()), written < 0 ? errno : EIO);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void File::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = retry([&] {
      return ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    });
    if (got < 0) throw_io_error(path_, fmt::format("read at byte {}", offset), errno);
    if (got == 0) {
      throw IoError("{}: ends at byte {}, {} more were expected; the file was cut short",
                    path_.string(), offset, bytes.size());
    }
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t File::size() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) throw_io_error(path_, "inspect", errno);
  return static_cast<std::uint64_t>(info.st_size);
}

void File::truncate(std::uint64_t size) {
  if (retry([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0) {
    throw_io_error(path_, "cut", errno);
  }
}

void File::sync() {
  if (retry([&] { return ::fsync(descriptor_); }) != 0) throw_io_error(path_, "fsync", errno);
}

void File::close() {
  // After EINTR the descriptor is gone all the same.
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0 && errno != EINTR) throw_io_error(path_, "close", errno);
}

MappedFile::MappedFile(const Path& path, Links links) : path_(path) {
  const File file = File::open(path, links);
  const std::uint64_t size = file.size();
  if (size == 0) return;  // nothing to map
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (memory == MAP_FAILED) throw_io_error(path, "map into memory", errno);
  bytes_ = {static_cast<const std::byte*>(memory), size};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::forget(std::span<const std::byte> part) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t first = begin / page * page;
  const std::uintptr_t last = (begin + part.size() + page - 1) / page * page;
  // Pages shared with what lies beside it are read again, too. Advice: that it fails costs memory.
  if (!part.empty()) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string read_text_file(const Path& path, std::uint64_t limit, Links links) {
  const File file = File::open(path, links);
  const std::uint64_t size = file.size();
  if (size > limit) {
    throw DataError("{}: {} bytes, but at most {} make sense here; is it the right file?",
                    path.string(), size, limit);
  }
  std::string text(size, '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

void atomic_write_file(const Path& path, std::span<const std::byte> bytes) {
  Path temporary = path;
  temporary += ".tmp";
  try {
    File file = File::create(temporary);
    file.write_all(bytes);
    file.sync();
    file.close();
    rename_path(temporary, path);
  } catch (const IoError&) {
    ::unlink(temporary.c_str());
    throw;
  }
  fsync_directory(directory_of(path));
}

void fsync_directory(const Path& directory) {
  const int descriptor = open_or_throw(directory, O_RDONLY | O_DIRECTORY, "open");
  const int result = retry([&] { return ::fsync(descriptor); });
  const int error_number = errno;
  ::close(descriptor);
  if (result != 0) throw_io_error(directory, "fsync", error_number);
}

void rename_path(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw_io_error(from, fmt::format("rename to {}", to.filename().string()), errno);
  }
}

bool make_directory(const Path& directory) {
  if (::mkdir(directory.c_str(), 0777) == 0) return true;
  const int error_number = errno;
  if (error_number == EEXIST && std::filesystem::is_directory(directory)) return false;
  throw_io_error(directory, "make the directory", error_number);
}

void remove_tree(const Path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) throw_io_error(path, "remove", error.value());
}

std::uint64_t free_bytes(const Path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) throw_io_error(path, "inspect the file system", errno);
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

}  // namespace ty
