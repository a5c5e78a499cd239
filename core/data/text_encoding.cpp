#include "core/data/text_encoding.h"

#include "core/base/error.h"
#include "core/data/token_file.h"
#include "core/data/utf8.h"

namespace ty {

namespace {

using namespace std::string_view_literals;

struct Format {
  std::size_t offset;
  std::string_view begins;
  const char* name;
  const char* remedy;
};

constexpr const char* kUnpack = "unpack it first";
constexpr const char* kConvert = "write its text to a .txt, .jsonl or .tsv file";
constexpr Format kFormats[] = {
    {0, "\x1f\x8b", "gzip", kUnpack},
    {4, "1AY&SY", "bzip2", kUnpack},
    {0,
     "\xfd"
     "7zXZ",
     "xz", kUnpack},
    {0, "\x28\xb5\x2f\xfd", "zstd", kUnpack},
    {0, "\x04\x22\x4d\x18", "lz4", kUnpack},
    {0, "PK\x03\x04", "a zip archive", kUnpack},
    {0, "7z\xbc\xaf", "a 7z archive", kUnpack},
    {257, "ustar", "a tar archive", kUnpack},
    {0, "PAR1", "Parquet", kConvert},
    {0, "ARROW1", "Arrow", kConvert},
    {0, "SQLite format 3", "an SQLite database", kConvert},
    {0, "%PDF-", "PDF", kConvert},
    {0, "\x89HDF", "HDF5", kConvert},
    {0, "\x93NUMPY", "a NumPy array", kConvert},
    {6, "\0\0{\""sv, "safetensors", "those are weights; name a text"},
    {0, "GGUF", "GGUF", "those are weights; name a text"},
};

void refuse_formats(std::string_view bytes, const std::string& place) {
  for (const Format& format : kFormats) {
    if (bytes.size() < format.offset || !bytes.substr(format.offset).starts_with(format.begins)) {
      continue;
    }
    throw DataError("{}: is {}, not a text; {}", place, format.name, format.remedy);
  }
  if (begins_as_token_file(std::as_bytes(std::span(bytes)))) {
    throw DataError("{}: holds token ids, not a text; give it a name that ends in .bin", place);
  }
}

// How numbers of 2 or 4 bytes lie in a file.
struct Units {
  std::size_t size;
  bool is_big_endian;
};

class UnitReader {
 public:
  UnitReader(std::string_view bytes, Units units, const std::string& place)
      : bytes_(bytes), units_(units), place_(place) {
    if (bytes.size() % units.size != 0) {
      throw DataError("{}: {} bytes of UTF-{} make no whole number of units", place, bytes.size(),
                      8 * units.size);
    }
  }

  std::string utf8() {
    std::string text;
    while (at_ < bytes_.size()) append_utf8(text, character());
    return text;
  }

 private:
  char32_t character() {
    const std::size_t start = at_;
    char32_t code = unit();
    if (units_.size == 2 && is_high(code) && at_ < bytes_.size()) {
      const char32_t low = unit();
      if (low < 0xdc00 || low > 0xdfff) refuse(start);
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) refuse(start);
    return code;
  }

  static bool is_high(char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }

  char32_t unit() {
    char32_t value = 0;
    for (std::size_t i = 0; i < units_.size; ++i) {
      const std::size_t byte = units_.is_big_endian ? i : units_.size - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes_[at_ + byte]);
    }
    at_ += units_.size;
    return value;
  }

  [[noreturn]] void refuse(std::size_t at) const {
    throw DataError("{}: no character at byte {} behind the byte-order mark; UTF-{} is damaged",
                    place_, at, 8 * units_.size);
  }

  std::string_view bytes_;
  Units units_;
  const std::string& place_;
  std::size_t at_ = 0;
};

struct Mark {
  std::string_view bytes;
  Units units;  // size 1: UTF-8
};
// The longer ones first: one of UTF-32 begins like one of UTF-16.
constexpr Mark kMarks[] = {{"\xff\xfe\0\0"sv, {4, false}},
                           {"\0\0\xfe\xff"sv, {4, true}},
                           {"\xff\xfe"sv, {2, false}},
                           {"\xfe\xff"sv, {2, true}},
                           {"\xef\xbb\xbf"sv, {1, false}}};

std::string decoded(std::string_view bytes, const std::string& place) {
  for (const Mark& mark : kMarks) {
    if (!bytes.starts_with(mark.bytes)) continue;
    bytes.remove_prefix(mark.bytes.size());
    if (mark.units.size > 1) return UnitReader(bytes, mark.units, place).utf8();
    break;
  }
  return std::string(bytes);
}

}  // namespace

std::string text_of(std::string_view bytes, const std::string& place) {
  refuse_formats(bytes, place);
  std::string text = decoded(bytes, place);
  if (const std::size_t zero = text.find('\0'); zero != text.npos) {
    throw DataError(
        "{}: byte {} is zero, so this is no text; of UTF-16 and UTF-32 only files with a "
        "byte-order "
        "mark are read",
        place, zero);
  }
  return text;
}

}  // namespace ty
