// BERT's pre-tokenizer: words are what stands between white space, and each punctuation character
// is a word of its own.
//
//   "don't stop."   don  '  t  stop  .
#pragma once

#include <array>
#include <string_view>

#include "core/data/bert_characters.h"
#include "core/data/utf8.h"

namespace ty {

class BertWords {
 public:
  BertWords();
  // Calls fn(word) for the words of a text from left to right. `text` is valid UTF-8.
  template <typename Fn>
  void for_each(std::string_view text, Fn&& fn) const;

 private:
  const BertCharacters& characters_;
  std::array<WordRole, 128> ascii_{};
};

template <typename Fn>
void BertWords::for_each(std::string_view text, Fn&& fn) const {
  std::size_t start = 0, at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const Utf8Char c = byte < 0x80 ? Utf8Char{byte, 1} : utf8_at(text, at);
    const WordRole role = byte < 0x80 ? ascii_[byte] : characters_.role(c.code);
    at += c.length;
    if (role == WordRole::part) continue;
    if (start < at - c.length) fn(text.substr(start, at - c.length - start));
    if (role == WordRole::punctuation) fn(text.substr(at - c.length, c.length));
    start = at;
  }
  if (start < at) fn(text.substr(start));
}

}  // namespace ty
