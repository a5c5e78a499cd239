#include "core/data/token_file.h"

#include <algorithm>
#include <array>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/error.h"
#include "core/io/file_writer.h"

namespace ty {

namespace {

constexpr std::int32_t kMagic = 20240520;
constexpr std::size_t kHeaderWords = 256;
using Header = std::array<std::int32_t, kHeaderWords>;
constexpr std::int64_t kChunk = std::int64_t{1} << 18;  // ids that are read at once

// 64-bit fields of ours, two header words each.
constexpr std::size_t kVocab = 4, kSourceBytes = 6, kTokenizer = 8, kSourceHash = 10, kReader = 12,
                      kIdsHash = 14;

template <typename T>
T get(const Header& header, std::size_t word) {
  T value;
  std::memcpy(&value, &header[word], sizeof(T));
  return value;
}
template <typename T>
void put(Header& header, std::size_t word, T value) {
  std::memcpy(&header[word], &value, sizeof(T));
}

struct Parsed {
  TokenFileInfo info;
  bool wide = false;
};

Parsed parse(const Header& header, const Path& path) {
  if (header[0] != kMagic) {
    throw DataError("{}: magic number {} is not {}; want a token file", path.string(), header[0],
                    kMagic);
  }
  if (header[1] != 1 && header[1] != 2) {
    throw DataError("{}: version {}; expected 1 (uint16 ids) or 2 (uint32 ids)", path.string(),
                    header[1]);
  }
  Parsed parsed;
  parsed.wide = header[1] == 2;
  parsed.info = {.count = header[2],
                 .vocab = get<std::int64_t>(header, kVocab),
                 .source_bytes = get<std::int64_t>(header, kSourceBytes),
                 .tokenizer = get<std::uint64_t>(header, kTokenizer),
                 .source_hash = get<std::uint64_t>(header, kSourceHash),
                 .reader = get<std::uint64_t>(header, kReader),
                 .ids_hash = get<std::uint64_t>(header, kIdsHash)};
  if (parsed.info.count <= 0) throw DataError("{}: holds no tokens", path.string());
  return parsed;
}

// XXH3 of ids as a file stores them.
class Hash {
 public:
  Hash() { XXH3_64bits_reset(&state_); }
  void add(std::span<const std::int32_t> ids, bool wide) {
    if (wide) return add(std::as_bytes(ids));
    const std::vector<std::uint16_t> narrow(ids.begin(), ids.end());
    add(std::as_bytes(std::span(narrow)));
  }
  std::uint64_t value() const { return XXH3_64bits_digest(&state_); }

 private:
  void add(std::span<const std::byte> bytes) {
    XXH3_64bits_update(&state_, bytes.data(), bytes.size());
  }
  XXH3_state_t state_;
};

Header read_header(const File& file) {
  Header header;
  if (file.size() < sizeof(header)) {
    throw DataError("{}: {} bytes are too few for the header of a token file ({})",
                    file.path().string(), file.size(), sizeof(header));
  }
  file.read_at(0, std::as_writable_bytes(std::span(header)));
  return header;
}

}  // namespace

TokenFile::TokenFile(const Path& path) : path_(path), ids_(File::open(path)) {
  const File& file = std::get<File>(ids_);
  const Parsed parsed = parse(read_header(file), path);
  info_ = parsed.info;
  wide_ = parsed.wide;
  const std::uint64_t wanted =
      sizeof(Header) + static_cast<std::uint64_t>(info_.count) * (wide_ ? 4 : 2);
  if (file.size() != wanted) {
    throw DataError("{}: {} bytes, but {} tokens make {}", path.string(), file.size(), info_.count,
                    wanted);
  }
}

TokenFile::TokenFile(std::vector<std::int32_t> ids, TokenFileInfo info, const Path& name)
    : path_(name), ids_(std::move(ids)), info_(info), wide_(true) {
  info_.count = static_cast<std::int64_t>(std::get<1>(ids_).size());
  if (info_.count == 0) throw DataError("{}: holds no tokens", name.string());
}

void TokenFile::read_stored(std::int64_t first, std::span<std::byte> bytes) const {
  const File& file = std::get<File>(ids_);
  const std::uint64_t offset = sizeof(Header) + static_cast<std::uint64_t>(first) * (wide_ ? 4 : 2);
  if (file.size() < offset + bytes.size()) {
    throw DataError("{}: was cut short to {} bytes while it was in use", path_.string(),
                    file.size());
  }
  file.read_at(offset, bytes);
}

void TokenFile::copy(std::int64_t first, std::span<std::int32_t> ids) const {
  TY_CHECK(first >= 0 && first + std::ssize(ids) <= size(), "tokens [{}, +{}) of {}", first,
           ids.size(), size());
  if (const auto* kept = std::get_if<1>(&ids_)) {
    std::copy_n(kept->begin() + first, ids.size(), ids.begin());
  } else if (wide_) {
    read_stored(first, std::as_writable_bytes(ids));
  } else {
    std::vector<std::uint16_t> narrow(ids.size());
    read_stored(first, std::as_writable_bytes(std::span(narrow)));
    std::copy(narrow.begin(), narrow.end(), ids.begin());
  }
}

void TokenFile::check_ids(std::int64_t vocab) const {
  Hash hash;
  std::vector<std::int32_t> ids;
  for (std::int64_t first = 0; first < size(); first += kChunk) {
    ids.resize(static_cast<std::size_t>(std::min(kChunk, size() - first)));
    copy(first, ids);
    const auto outside = std::find_if(ids.begin(), ids.end(), [&](std::int32_t id) {
      return vocab != 0 && static_cast<std::uint32_t>(id) >= vocab;
    });
    if (outside != ids.end()) {
      throw DataError("{}: token {} at position {} is not below the vocabulary {}", path_.string(),
                      static_cast<std::uint32_t>(*outside), first + (outside - ids.begin()), vocab);
    }
    hash.add(ids, wide_);
  }
  if (info_.ids_hash != 0 && info_.ids_hash != hash.value()) {
    throw DataError("{}: hash of the ids is {:016x}, but {:016x} was written; the file is damaged",
                    path_.string(), hash.value(), info_.ids_hash);
  }
}

void TokenFile::write(const Path& path) const { write_token_file(path, std::get<1>(ids_), info_); }

void TokenFile::check_tokenizer(std::uint64_t fingerprint) const {
  if (info_.tokenizer == 0 || fingerprint == 0 || info_.tokenizer == fingerprint) return;
  throw DataError(
      "{}: was made with tokenizer {:016x}, the tokenizer here is {:016x}; make it again with "
      "trainyard data tokenize",
      path_.string(), info_.tokenizer, fingerprint);
}

bool begins_as_token_file(std::span<const std::byte> bytes) {
  std::int32_t word = 0;
  if (bytes.size() < sizeof(word)) return false;
  std::memcpy(&word, bytes.data(), sizeof(word));
  return word == kMagic;
}

void write_token_file(const Path& path, std::span<const std::int32_t> ids, TokenFileInfo info) {
  const bool wide = info.vocab > 65536;
  if (ids.size() > 0x7fffffff) {
    throw DataError("{}: {} tokens are more than a token file can count", path.string(),
                    ids.size());
  }
  Hash hash;
  hash.add(ids, wide);
  Header header{};
  header[0] = kMagic;
  header[1] = wide ? 2 : 1;
  header[2] = static_cast<std::int32_t>(ids.size());
  put(header, kVocab, info.vocab);
  put(header, kSourceBytes, info.source_bytes);
  put(header, kTokenizer, info.tokenizer);
  put(header, kSourceHash, info.source_hash);
  put(header, kReader, info.reader);
  put(header, kIdsHash, hash.value());

  const Path temporary = path.string() + ".tmp";
  FileWriter out(temporary);
  out.write(std::as_bytes(std::span(header)));
  if (wide) {
    out.write(std::as_bytes(ids));
  } else {
    const std::vector<std::uint16_t> narrow(ids.begin(), ids.end());
    out.write(std::as_bytes(std::span(narrow)));
  }
  out.finish();
  rename_path(temporary, path);
}

}  // namespace ty
