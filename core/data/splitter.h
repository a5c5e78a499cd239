// Cuts text into the words inside which BPE merges, as GPT-2 does: contractions, then letters,
// digits or other signs with one space before them, then runs of white space. It is the expression
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// written out, with the classes of Unicode 16. Bytes that are no UTF-8 are kept, as words of their
// own.
#pragma once

#include <cstddef>
#include <string_view>

namespace ty {

// Bytes of the first word of a text that is not empty. A word depends on what follows it only, so
// calling this again on the rest gives all words.
std::size_t first_word(std::string_view text);

// True if no word reaches over a position, 0 < position < text.size(), and neither side of it looks
// at the other: a visible ASCII character stands before a space.
inline bool is_between_words(std::string_view text, std::size_t position) {
  return text[position] == ' ' && text[position - 1] > ' ' && text[position - 1] < 127;
}

}  // namespace ty
