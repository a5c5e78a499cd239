// Token files: ids of a whole corpus, memory-mapped. The format is that of llm.c's shards (a header
// of 256 int32: magic 20240520, version, count; then the ids), so those are read as they are.
// Version 1 holds uint16 ids; version 2, ours, uint32 ids for larger vocabularies. Header words
// from 4 on are ours and zero in foreign files: vocabulary, bytes of the source text, fingerprints.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/io/file.h"

namespace ty {

struct TokenFileInfo {
  std::int64_t count = 0;         // ids
  std::int64_t vocab = 0;         // 0: unknown
  std::int64_t source_bytes = 0;  // of the text it was made from; 0: unknown
  std::uint64_t tokenizer = 0;    // fingerprint of the tokenizer
  std::uint64_t source_hash = 0;  // XXH3 of the text
};

class TokenFile {
 public:
  // Throws DataError if the file is no token file, has another size than its header says, is empty,
  // or holds an id that is not below `vocab` (0: any).
  explicit TokenFile(const Path& path, std::int64_t vocab = 0);

  const TokenFileInfo& info() const { return info_; }
  std::int64_t size() const { return info_.count; }
  // 2 or 4.
  int bytes_per_id() const { return wide_ ? 4 : 2; }
  const Path& path() const { return file_.path(); }
  // Ids [first, first + ids.size()).
  void copy(std::int64_t first, std::span<std::int32_t> ids) const;

 private:
  template <typename Fn>
  void visit(Fn&& fn) const;

  MappedFile file_;
  TokenFileInfo info_;
  bool wide_ = false;
};

// True if these bytes start like a token file, whatever follows.
bool begins_as_token_file(std::span<const std::byte> bytes);
// Only the header; throws DataError if it is not one.
TokenFileInfo read_token_file_info(const Path& path);

// Writes a token file (uint16 if vocab <= 65536), durable and in one piece on return.
void write_token_file(const Path& path, std::span<const std::int32_t> ids, TokenFileInfo info);

}  // namespace ty
