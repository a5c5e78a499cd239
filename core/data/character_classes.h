// What Unicode 16 says of a code point, as far as the borders of words depend on it: the public
// tokenizers library and a tokenizer here must take the same characters for letters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ty {

// \p{L}, \p{N} and \s of regular expressions; everything else is `other`.
enum class CharacterKind : std::uint8_t { other, letter, number, space };

class CharacterClasses {
 public:
  // The one table, made when it is first asked for.
  static const CharacterClasses& get();

  // `code` is at most U+10FFFF.
  CharacterKind kind(char32_t code) const { return CharacterKind(bits_[code] & 3u); }
  // \w: letters, marks, digits and connectors.
  bool is_word(char32_t code) const { return (bits_[code] & 4u) != 0; }

 private:
  CharacterClasses();
  std::vector<std::uint8_t> bits_;  // a byte per code point
};

// The table as runs of equal code points, in their order: first code point << 4 | bits.
std::span<const std::uint32_t> character_runs();

}  // namespace ty
