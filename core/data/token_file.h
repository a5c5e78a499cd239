// Token files: the ids of a whole corpus. The format is that of llm.c's shards (a header of 256
// int32: magic 20240520, version, count; then the ids), which can be read unchanged. Version 1
// holds uint16 ids; version 2, ours, holds uint32 ids for larger vocabularies. Header words from 4
// on are our extension and zero in foreign files: vocabulary, bytes of the source text, and what
// the ids were made from.
//
// Files are read, not mapped: if one is truncated under a running job, that is an error and not a
// crash.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "core/io/file.h"

namespace ty {

struct TokenFileInfo {
  std::int64_t count = 0;         // ids
  std::int64_t vocab = 0;         // 0: unknown
  std::int64_t source_bytes = 0;  // of the text it was made from; 0: unknown
  std::uint64_t tokenizer = 0;    // fingerprint of the tokenizer; 0: unknown
  std::uint64_t source_hash = 0;  // XXH3 of the source text
  std::uint64_t reader = 0;       // fingerprint of how documents were read from it (corpus.h)
  std::uint64_t ids_hash = 0;     // XXH3 of the ids as stored; 0: unknown
};

// Ids, in a file or in memory.
class TokenFile {
 public:
  // Reads the header only. Throws DataError if the file is not a token file, is empty, or differs
  // in size from what its header says.
  explicit TokenFile(const Path& path);
  // Ids that were never written to a file; messages call them `name`. Throws DataError if there are
  // none.
  TokenFile(std::vector<std::int32_t> ids, TokenFileInfo info, const Path& name);

  const TokenFileInfo& info() const { return info_; }
  std::int64_t size() const { return info_.count; }
  // 2 or 4.
  int bytes_per_id() const { return wide_ ? 4 : 2; }
  const Path& path() const { return path_; }
  // Ids [first, first + ids.size()). Throws DataError if the file has been truncated.
  void copy(std::int64_t first, std::span<std::int32_t> ids) const;
  // Reads the whole file and throws DataError if an id is not below `vocab` (0: no limit) or if the
  // ids are not those that were written.
  void check_ids(std::int64_t vocab) const;
  // Writes ids held in memory to a file.
  void write(const Path& path) const;
  // Throws DataError if the file was made by a different tokenizer.
  void check_tokenizer(std::uint64_t fingerprint) const;

 private:
  void read_stored(std::int64_t first, std::span<std::byte> bytes) const;

  Path path_;
  std::variant<File, std::vector<std::int32_t>> ids_;
  TokenFileInfo info_;
  bool wide_ = false;
};

// True if these bytes begin like a token file.
bool begins_as_token_file(std::span<const std::byte> bytes);

// Writes a token file (uint16 if vocab <= 65536) atomically; it is durable on return. Count and
// hash of the ids are computed here.
void write_token_file(const Path& path, std::span<const std::int32_t> ids, TokenFileInfo info);

}  // namespace ty
