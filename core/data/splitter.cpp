#include "core/data/splitter.h"

#include "core/data/character_classes.h"
#include "core/data/utf8.h"

namespace ty {

namespace {

struct Character {
  CharacterKind kind = CharacterKind::other;
  std::size_t length = 0;  // 0: the text ends here, or the bytes are no character
};

Character character_at(std::string_view text, std::size_t at) {
  if (at == text.size()) return {};
  const CharacterClasses& classes = CharacterClasses::get();
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return {classes.kind(byte), 1};
  const Utf8Char c = utf8_at(text, at);
  return {c.length > 0 ? classes.kind(c.code) : CharacterKind::other, c.length};
}

// Where a run of characters of one kind ends.
std::size_t run_end(std::string_view text, std::size_t at, CharacterKind kind) {
  Character c = character_at(text, at);
  while (c.length > 0 && c.kind == kind) {
    at += c.length;
    c = character_at(text, at);
  }
  return at;
}

// Length of the contraction that a text starts with, or 0.
std::size_t contraction(std::string_view text) {
  constexpr std::string_view kContractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
  if (text[0] != '\'') return 0;
  for (std::string_view contraction : kContractions) {
    if (text.starts_with(contraction)) return contraction.size();
  }
  return 0;
}

// \s+(?!\S)|\s+: white space, without its last character if that can go to a word behind it.
std::size_t white_space(std::string_view text) {
  std::size_t last = 0, end = 0;
  Character c = character_at(text, end);
  while (c.length > 0 && c.kind == CharacterKind::space) {
    last = end;
    end += c.length;
    c = character_at(text, end);
  }
  const bool is_before_word = c.length > 0;
  return is_before_word && last > 0 ? last : end;
}

std::size_t invalid_bytes(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && utf8_at(text, end).length == 0) ++end;
  return end;
}

}  // namespace

std::size_t first_word(std::string_view text) {
  if (const std::size_t length = contraction(text)) return length;
  const Character first = character_at(text, 0);
  if (first.length == 0) return invalid_bytes(text);
  if (text[0] == ' ') {
    const Character second = character_at(text, 1);
    if (second.length > 0 && second.kind != CharacterKind::space) {
      return run_end(text, 1, second.kind);
    }
  }
  return first.kind == CharacterKind::space ? white_space(text) : run_end(text, 0, first.kind);
}

}  // namespace ty
