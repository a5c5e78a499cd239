#include "core/data/byte_level.h"

#include "core/data/utf8.h"

namespace ty {

namespace {

constexpr char32_t kNoByte = 0xffffffff;
constexpr char32_t kCharacters = 0x100 + 68;  // 68 bytes are not printable

struct Tables {
  std::array<char32_t, 256> character{};
  std::array<char32_t, kCharacters> byte{};
  std::array<unsigned char, 256> order{};

  Tables() {
    char32_t next = 0x100;
    for (char32_t b = 0; b < 256; ++b) {
      const bool printable = (b > 32 && b < 127) || (b > 160 && b != 173);
      character[b] = printable ? b : next++;
    }
    byte.fill(kNoByte);
    for (char32_t b = 0; b < 256; ++b) byte[character[b]] = b;
    std::size_t position = 0;
    for (const char32_t b : byte) {
      if (b != kNoByte) order[position++] = static_cast<unsigned char>(b);
    }
  }
};

const Tables& tables() {
  static const Tables instance;
  return instance;
}

}  // namespace

const std::array<unsigned char, 256>& byte_level_order() { return tables().order; }

std::string byte_level_spelling(std::string_view bytes) {
  std::string spelling;
  for (const char c : bytes) {
    append_utf8(spelling, tables().character[static_cast<unsigned char>(c)]);
  }
  return spelling;
}

std::optional<std::string> byte_level_bytes(std::string_view spelling) {
  std::string bytes;
  for (std::size_t i = 0; i < spelling.size();) {
    const Utf8Char c = utf8_at(spelling, i);
    if (c.length == 0 || c.code >= kCharacters || tables().byte[c.code] == kNoByte) return {};
    bytes.push_back(static_cast<char>(tables().byte[c.code]));
    i += c.length;
  }
  return bytes;
}

}  // namespace ty
