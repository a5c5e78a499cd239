#include "core/data/token_file.h"

#include <array>
#include <cstring>

#include "core/base/error.h"
#include "core/io/file_writer.h"

namespace ty {

namespace {

constexpr std::int32_t kMagic = 20240520;
constexpr std::size_t kHeaderWords = 256;
using Header = std::array<std::int32_t, kHeaderWords>;

// 64-bit fields of ours, two header words each.
constexpr std::size_t kVocab = 4, kSourceBytes = 6, kTokenizer = 8, kSourceHash = 10;

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

Parsed parse(std::span<const std::byte> bytes, const Path& path) {
  Header header;
  if (bytes.size() < sizeof(header)) {
    throw DataError("{}: {} bytes are too few for the header of a token file ({})", path.string(),
                    bytes.size(), sizeof(header));
  }
  std::memcpy(header.data(), bytes.data(), sizeof(header));
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
                 .source_hash = get<std::uint64_t>(header, kSourceHash)};
  if (parsed.info.count <= 0) throw DataError("{}: holds no tokens", path.string());
  return parsed;
}

}  // namespace

template <typename Fn>
void TokenFile::visit(Fn&& fn) const {
  const std::byte* first = file_.bytes().data() + sizeof(Header);
  if (wide_) {
    fn(reinterpret_cast<const std::uint32_t*>(first));
  } else {
    fn(reinterpret_cast<const std::uint16_t*>(first));
  }
}

TokenFile::TokenFile(const Path& path, std::int64_t vocab) : file_(path) {
  const Parsed parsed = parse(file_.bytes(), path);
  info_ = parsed.info;
  wide_ = parsed.wide;
  const std::size_t wanted =
      sizeof(Header) + static_cast<std::size_t>(info_.count) * (wide_ ? 4 : 2);
  if (file_.bytes().size() != wanted) {
    throw DataError("{}: {} bytes, but {} tokens make {}", path.string(), file_.bytes().size(),
                    info_.count, wanted);
  }
  if (vocab == 0) return;
  visit([&](const auto* ids) {
    for (std::int64_t i = 0; i < info_.count; ++i) {
      if (static_cast<std::int64_t>(ids[i]) >= vocab) {
        throw DataError("{}: token {} at position {} is not below the vocabulary {}", path.string(),
                        ids[i], i, vocab);
      }
    }
  });
}

void TokenFile::copy(std::int64_t first, std::span<std::int32_t> ids) const {
  TY_CHECK(first >= 0 && first + static_cast<std::int64_t>(ids.size()) <= size(),
           "tokens [{}, +{}) of {}", first, ids.size(), size());
  visit([&](const auto* all) {
    for (std::size_t i = 0; i < ids.size(); ++i)
      ids[i] = static_cast<std::int32_t>(all[first + static_cast<std::int64_t>(i)]);
  });
}

bool begins_as_token_file(std::span<const std::byte> bytes) {
  std::int32_t word = 0;
  if (bytes.size() < sizeof(word)) return false;
  std::memcpy(&word, bytes.data(), sizeof(word));
  return word == kMagic;
}

TokenFileInfo read_token_file_info(const Path& path) {
  return parse(MappedFile(path).bytes(), path).info;
}

void write_token_file(const Path& path, std::span<const std::int32_t> ids, TokenFileInfo info) {
  const bool wide = info.vocab > 65536;
  if (ids.size() > 0x7fffffff) {
    throw DataError("{}: {} tokens are more than a token file can count", path.string(),
                    ids.size());
  }
  Header header{};
  header[0] = kMagic;
  header[1] = wide ? 2 : 1;
  header[2] = static_cast<std::int32_t>(ids.size());
  put(header, kVocab, info.vocab);
  put(header, kSourceBytes, info.source_bytes);
  put(header, kTokenizer, info.tokenizer);
  put(header, kSourceHash, info.source_hash);

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
