#include "core/io/file_writer.h"

namespace ty {

namespace {
constexpr std::size_t kPendingBytes = std::size_t{1} << 20;
}  // namespace

FileWriter::FileWriter(const Path& path) : file_(File::create(path)) {
  pending_.reserve(kPendingBytes);
}

void FileWriter::write(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  if (pending_.size() + bytes.size() > kPendingBytes) flush();
  if (bytes.size() > kPendingBytes) {
    hash_.update(bytes);
    file_.write_all(bytes);
  } else {
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  }
}

FileSummary FileWriter::finish() {
  flush();
  file_.sync();
  file_.close();
  return {size_, hash_.hex()};
}

void FileWriter::flush() {
  hash_.update(pending_);
  file_.write_all(pending_);
  pending_.clear();
}

}  // namespace ty
