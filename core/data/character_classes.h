// The Unicode 16 properties of code points on which word boundaries depend: our tokenizers must
// classify characters exactly as the public tokenizers library does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ty {

// \p{L}, \p{N} and \s of regular expressions; everything else is `other`.
enum class CharacterKind : std::uint8_t { other, letter, number, space };

class CharacterClasses {
 public:
  // The only table, built on first use.
  static const CharacterClasses& get();

  // `code` is at most U+10FFFF.
  CharacterKind kind(char32_t code) const { return CharacterKind(bits_[code] & 3u); }
  // \w: letters, marks, digits and connectors.
  bool is_word(char32_t code) const { return (bits_[code] & 4u) != 0; }

 private:
  CharacterClasses();
  std::vector<std::uint8_t> bits_;  // a byte per code point
};

// The table as runs of code points with equal properties, in ascending order: first code point << 4
// | bits.
std::span<const std::uint32_t> character_runs();

}  // namespace ty
