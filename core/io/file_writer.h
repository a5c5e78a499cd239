// A file that is hashed while it is written, so that its content is never read again for that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "core/io/hash.h"

namespace ty {

struct FileSummary {
  std::uint64_t size = 0;  // bytes
  std::string hash;        // ContentHash of the whole file
};

// Collects small writes; large ones go straight through. Without finish() the file is garbage.
class FileWriter {
 public:
  // As File::create().
  explicit FileWriter(const Path& path);

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(bytes_of(text)); }
  // Bytes so far.
  std::uint64_t size() const { return size_; }
  const Path& path() const { return file_.path(); }
  // Writes what is left, makes it durable and closes. Call once, last.
  FileSummary finish();

 private:
  void flush();

  File file_;
  ContentHash hash_;
  std::uint64_t size_ = 0;
  std::vector<std::byte> pending_;
};

}  // namespace ty
