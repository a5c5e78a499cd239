// What BERT's normalizer and pre-tokenizer take characters for, exactly as the public tokenizers
// library does: its parts know different versions of Unicode, so the library itself was asked
// (tools/golden/bert_tables.py).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ty {

// What becomes of a character when a text is cleaned.
enum class Cleaning : std::uint8_t { kept, removed, space };
// What a character is to the words around it: part of one, their separator, a word of its own.
enum class WordRole : std::uint8_t { part, separator, punctuation };

// Code points that are asked for are at most U+10FFFF.
class BertCharacters {
 public:
  // The only table, built on first use.
  static const BertCharacters& get();

  Cleaning cleaning(char32_t code) const { return Cleaning(bits_[code] & 3u); }
  WordRole role(char32_t code) const { return WordRole(bits_[code] >> 2 & 3u); }
  // CJK ideographs, each of which is a word.
  bool is_ideograph(char32_t code) const { return (bits_[code] & 0x10u) != 0; }
  // Accents that stand on the character before them (category Mn).
  bool is_nonspacing_mark(char32_t code) const { return (bits_[code] & 0x20u) != 0; }
  // The canonical combining class: marks behind a character are ordered by it; 0: no such mark.
  std::uint8_t combining_class(char32_t code) const { return classes_[code]; }
  // Calls fn(code point) for each of the canonical decomposition (NFD) of a character.
  template <typename Fn>
  void decompose(char32_t code, Fn&& fn) const;
  // Appends a character in lower case as UTF-8.
  void append_lower(std::string& text, char32_t code) const;

 private:
  BertCharacters();
  void read_decompositions();
  std::u32string decomposition_of(char32_t code) const;
  // By the formula of chapter 3.12 of the Unicode standard.
  static std::u32string hangul(char32_t code);

  std::vector<std::uint8_t> bits_, classes_;  // a byte per code point
  std::unordered_map<char32_t, char32_t> lower_;
  std::unordered_map<char32_t, std::u32string> decompositions_;
};

template <typename Fn>
void BertCharacters::decompose(char32_t code, Fn&& fn) const {
  if ((bits_[code] & 0x40u) == 0) return fn(code);
  for (char32_t part : decomposition_of(code)) fn(part);
}

// The tables. Runs of characters with equal properties: first code point << 8 | bits.
std::span<const std::uint32_t> bert_character_runs();
// Likewise first code point << 8 | combining class.
std::span<const std::uint32_t> combining_class_runs();
// Groups of first code point, count, stride, and distance of the lower case.
std::span<const std::int32_t> lower_case_runs();
// Groups of first code point, count << 2 | width, and `count` decompositions into `width` code
// points, the first of which may decompose again.
std::span<const std::uint32_t> decomposition_runs();

}  // namespace ty
