// Token files: ids of a whole corpus. The format is that of llm.c's shards (a header of 256 int32:
// magic 20240520, version, count; then the ids), so those are read as they are. Version 1 holds
// uint16 ids; version 2, ours, uint32 ids for larger vocabularies. Header words from 4 on are ours
// and zero in foreign files: vocabulary, bytes of the source text, and what the ids were made from.
//
// A file is read, not mapped: one that somebody cuts short under a running job is an error then,
// and not the end of the process.
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
  std::uint64_t source_hash = 0;  // XXH3 of the text
  std::uint64_t reader = 0;       // of how documents were taken from it (corpus.h)
  std::uint64_t ids_hash = 0;     // XXH3 of the ids as stored; 0: unknown
};

// Ids, in a file or in memory.
class TokenFile {
 public:
  // Reads the header only. Throws DataError if the file is no token file, has another size than its
  // header says, or is empty.
  explicit TokenFile(const Path& path);
  // Ids that were never written; `name` stands for the file in messages. Throws DataError if there
  // are none.
  TokenFile(std::vector<std::int32_t> ids, TokenFileInfo info, const Path& name);

  const TokenFileInfo& info() const { return info_; }
  std::int64_t size() const { return info_.count; }
  // 2 or 4.
  int bytes_per_id() const { return wide_ ? 4 : 2; }
  const Path& path() const { return path_; }
  // Ids [first, first + ids.size()). Throws DataError if the file has become shorter.
  void copy(std::int64_t first, std::span<std::int32_t> ids) const;
  // Reads everything: throws DataError if an id is not below `vocab` (0: any), or if the ids are
  // not those that were written.
  void check_ids(std::int64_t vocab) const;
  // Writes ids that are in memory to a file.
  void write(const Path& path) const;
  // Throws DataError if the file says that another tokenizer made it.
  void check_tokenizer(std::uint64_t fingerprint) const;

 private:
  void read_stored(std::int64_t first, std::span<std::byte> bytes) const;

  Path path_;
  std::variant<File, std::vector<std::int32_t>> ids_;
  TokenFileInfo info_;
  bool wide_ = false;
};

// True if these bytes start like a token file, whatever follows.
bool begins_as_token_file(std::span<const std::byte> bytes);

// Writes a token file (uint16 if vocab <= 65536), durable and in one piece on return. Count and
// hash of the ids are worked out here.
void write_token_file(const Path& path, std::span<const std::int32_t> ids, TokenFileInfo info);

}  // namespace ty
