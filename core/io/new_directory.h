// A directory that appears complete or not at all: its files are written into `NAME.tmp` beside it,
// each made durable, and a rename publishes them together.
#pragma once

#include <functional>
#include <string>

#include "core/io/file.h"
#include "core/io/file_writer.h"

namespace ty {

// Throws UsageError unless the path is free and its parent directory exists. To be called before
// long work whose result is to be written there.
void require_absent(const Path& path);

class NewDirectory {
 public:
  // Throws as require_absent() does. Removes what an earlier, killed process left under the
  // temporary name.
  explicit NewDirectory(const Path& path);
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  // Removes everything unless publish() has succeeded.
  ~NewDirectory();

  // Writes one file through `write` and makes it durable.
  void add(const std::string& name, const std::function<void(FileWriter&)>& write);
  // A copy of a file, under its own name.
  void copy(const Path& file);
  // Call once, last. On IoError nothing was published, except when only the last fsync of the
  // parent directory failed.
  void publish();
  // Bytes of all files so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Path path_;
  Path temporary_;
  std::uint64_t bytes_ = 0;
};

}  // namespace ty
