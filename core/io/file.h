// The file system as the rest of the project sees it: a call either does all that was asked or
// throws an IoError that names the path, the system's error and what to do next.
//
// Nothing here retries an fsync: a file whose fsync failed is lost and must be written again under
// another name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace ty {

using Path = std::filesystem::path;

// Whether the last part of a path may be a symbolic link. Files that we wrote ourselves never are.
enum class Links : std::uint8_t { follow, refuse };

// An open regular file; closed on destruction, or by close() where a late error must be noticed.
class File {
 public:
  // Always creates a new file: an existing one is removed first, and nothing is written through a
  // symbolic link.
  static File create(const Path& path);
  static File open(const Path& path, Links links = Links::follow);
  // For appending; creates the file if necessary.
  static File append(const Path& path);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  // Writes everything after what was written so far, however many system calls that takes.
  void write_all(std::span<const std::byte> bytes);
  // Fills `bytes` from `offset`; throws IoError if the file ends before.
  void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;
  std::uint64_t size() const;
  // Truncates the file to so many bytes.
  void truncate(std::uint64_t size);
  // Returns once the content is on the device.
  void sync();
  void close();

  const Path& path() const { return path_; }
  int descriptor() const { return descriptor_; }

 private:
  File(Path path, int descriptor);
  void require_regular() const;
  Path path_;
  int descriptor_ = -1;
};

// A whole file as read-only memory, for the lifetime of this object. Writing to it crashes, and so
// does reading it after somebody else has truncated the file.
class MappedFile {
 public:
  explicit MappedFile(const Path& path, Links links = Links::follow);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  const Path& path() const { return path_; }
  // Releases the memory that caches a part of bytes(); the part is read again from the file if
  // needed.
  void forget(std::span<const std::byte> part) const;

 private:
  Path path_;
  std::span<const std::byte> bytes_;
};

// The bytes of a string, for the calls here.
std::span<const std::byte> bytes_of(std::string_view text);

// The content of a small file; throws DataError if it exceeds `limit` bytes.
std::string read_text_file(const Path& path, std::uint64_t limit, Links links = Links::follow);
// Replaces a file atomically: whatever happens, it holds either its former content or all of
// `bytes`.
void atomic_write_file(const Path& path, std::span<const std::byte> bytes);

// Makes creations, renames and removals inside a directory durable.
void fsync_directory(const Path& directory);
// Replaces `to` if that is a file (or an empty directory).
void rename_path(const Path& from, const Path& to);
// Creates one directory, whose parent must exist. False if it existed already.
bool make_directory(const Path& directory);
// Removes a file, or a directory with all its content; no error if there is none.
void remove_tree(const Path& path);
// Bytes that this process may still write to the file system of a path.
std::uint64_t free_bytes(const Path& path);

// The message for a failed system call, by its errno: "PATH: cannot WHAT: No space left on device
// (12 bytes free there); free some space or choose another directory".
std::string io_error_text(const Path& path, std::string_view what, int error_number);
// Throws IoError with that message.
[[noreturn]] void throw_io_error(const Path& path, std::string_view what, int error_number);

}  // namespace ty
