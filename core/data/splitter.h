// Cuts text into the words inside which BPE merges, as GPT-2 does: contractions, then letters,
// digits or other signs with one space before them, then runs of white space. It is the expression
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// written by hand, with the character classes of Unicode 16. Invalid UTF-8 bytes are kept, as words
// of their own.
#pragma once

#include <cstddef>
#include <string_view>

namespace ty {

// The length in bytes of the first word of a non-empty text. A word does not depend on what
// precedes it, so calling this repeatedly on the rest yields all words.
std::size_t first_word(std::string_view text);

// True if the text can be split at a position, 0 < position < text.size(), without changing the
// words on either side: a visible ASCII character stands before a space.
inline bool is_between_words(std::string_view text, std::size_t position) {
  return text[position] == ' ' && text[position - 1] > ' ' && text[position - 1] < 127;
}

}  // namespace ty
