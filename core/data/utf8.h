// UTF-8, one character at a time, strict: no overlong forms, no surrogates, nothing past U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ty {

inline constexpr std::size_t kCodePoints = 0x110000;  // of Unicode

struct Utf8Char {
  char32_t code = 0;
  std::size_t length = 0;  // bytes; 0 if no valid character starts there
};

// The character that starts at text[position]; position < text.size().
Utf8Char utf8_at(std::string_view text, std::size_t position);
// The character that ends before text[position]; 0 < position <= text.size().
Utf8Char utf8_before(std::string_view text, std::size_t position);
// Bytes at the start of `text` that are valid UTF-8.
std::size_t valid_utf8_prefix(std::string_view text);
void append_utf8(std::string& text, char32_t code);
// The text with U+FFFD for what is not valid UTF-8: one for each longest start of a character that
// goes on otherwise, and one for each byte that starts none (Unicode standard, chapter 3.9).
std::string with_replacement_characters(std::string_view text);

}  // namespace ty
