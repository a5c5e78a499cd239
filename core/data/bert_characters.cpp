#include "core/data/bert_characters.h"

#include <algorithm>

#include "core/data/utf8.h"

namespace ty {

namespace {

constexpr char32_t kFirstHangul = 0xac00, kLastHangul = 0xd7a3;
constexpr std::uint8_t kHasLower = 0x80;
constexpr char32_t kCapitalDottedI = 0x130;  // the only one with two characters in lower case

std::vector<std::uint8_t> by_code_point(std::span<const std::uint32_t> runs) {
  std::vector<std::uint8_t> bytes(kCodePoints);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::size_t end = i + 1 < runs.size() ? runs[i + 1] >> 8 : kCodePoints;
    std::fill(bytes.begin() + (runs[i] >> 8), bytes.begin() + static_cast<std::ptrdiff_t>(end),
              static_cast<std::uint8_t>(runs[i] & 0xffu));
  }
  return bytes;
}

}  // namespace

const BertCharacters& BertCharacters::get() {
  static const BertCharacters instance;
  return instance;
}

BertCharacters::BertCharacters()
    : bits_(by_code_point(bert_character_runs())), classes_(by_code_point(combining_class_runs())) {
  const auto runs = lower_case_runs();
  for (std::size_t i = 0; i + 4 <= runs.size(); i += 4) {
    for (std::int32_t n = 0; n < runs[i + 1]; ++n) {
      const std::int32_t code = runs[i] + n * runs[i + 2];
      lower_[static_cast<char32_t>(code)] = static_cast<char32_t>(code + runs[i + 3]);
    }
  }
  read_decompositions();
}

void BertCharacters::read_decompositions() {
  const auto runs = decomposition_runs();
  for (std::size_t at = 0; at < runs.size();) {
    const char32_t first = runs[at], count = runs[at + 1] >> 2, width = runs[at + 1] & 3;
    at += 2;
    for (char32_t code = first; code < first + count; ++code, at += width) {
      decompositions_[code] =
          std::u32string(runs.begin() + static_cast<std::ptrdiff_t>(at),
                         runs.begin() + static_cast<std::ptrdiff_t>(at + width));
    }
  }
  for (auto& [code, parts] : decompositions_) {
    for (auto inner = decompositions_.find(parts[0]); inner != decompositions_.end();
         inner = decompositions_.find(parts[0])) {
      parts.replace(0, 1, std::u32string(inner->second));
    }
  }
}

std::u32string BertCharacters::decomposition_of(char32_t code) const {
  return code >= kFirstHangul && code <= kLastHangul ? hangul(code) : decompositions_.at(code);
}

std::u32string BertCharacters::hangul(char32_t code) {
  constexpr char32_t kLead = 0x1100, kVowel = 0x1161, kTrail = 0x11a7, kVowels = 21, kTrails = 28;
  const char32_t index = code - kFirstHangul, trail = index % kTrails;
  std::u32string parts = {kLead + index / (kVowels * kTrails), kVowel + index / kTrails % kVowels};
  if (trail != 0) parts.push_back(kTrail + trail);
  return parts;
}

void BertCharacters::append_lower(std::string& text, char32_t code) const {
  if ((bits_[code] & kHasLower) == 0) return append_utf8(text, code);
  if (code == kCapitalDottedI) {
    text += "i\u0307";
  } else {
    append_utf8(text, lower_.at(code));
  }
}

}  // namespace ty
