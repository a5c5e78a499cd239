// A file that is hashed while it is written, so that it need not be read again for its hash.
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

// Buffers small writes; large ones are written directly. The file is valid only after finish().
class FileWriter {
 public:
  // As File::create().
  explicit FileWriter(const Path& path);

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(bytes_of(text)); }
  // Bytes so far.
  std::uint64_t size() const { return size_; }
  const Path& path() const { return file_.path(); }
  // Writes what is buffered, makes the file durable and closes it. Call once, last.
  FileSummary finish();

 private:
  void flush();

  File file_;
  ContentHash hash_;
  std::uint64_t size_ = 0;
  std::vector<std::byte> pending_;
};

}  // namespace ty
