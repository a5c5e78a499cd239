#include "core/data/char_tokenizer.h"

#include <set>

#include "core/base/error.h"
#include "core/data/utf8.h"

namespace ty {

namespace {

// Calls fn(code point) for each character; throws DataError for bytes that are none.
template <typename Fn>
void for_characters(std::string_view text, Fn&& fn) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_at(text, at);
    if (c.length == 0) {
      throw DataError(
          "tokenizer: byte {} of the text ({:#04x}) is not valid UTF-8; chars wants UTF-8, "
          "bytes and bpe take anything",
          at, static_cast<unsigned char>(text[at]));
    }
    fn(c.code, at);
    at += c.length;
  }
}

}  // namespace

CharTokenizer::CharTokenizer(std::vector<std::string> characters) : tokens_(std::move(characters)) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    ids_.emplace(utf8_at(tokens_[i], 0).code, static_cast<std::int32_t>(i));
  }
  tokens_.emplace_back(kEndOfText);
}

CharTokenizer CharTokenizer::learn(std::span<const std::string_view> documents) {
  std::set<char32_t> codes;
  for (std::string_view document : documents) {
    for_characters(document, [&](char32_t code, std::size_t) { codes.insert(code); });
  }
  std::vector<std::string> characters;
  for (char32_t code : codes) append_utf8(characters.emplace_back(), code);
  return CharTokenizer(std::move(characters));
}

void CharTokenizer::encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const {
  for_characters(text, [&](char32_t code, std::size_t at) {
    const auto found = ids_.find(code);
    if (found == ids_.end()) {
      throw DataError(
          "tokenizer: character U+{:04X} at byte {} is not in the vocabulary of {} characters",
          static_cast<std::uint32_t>(code), at, ids_.size());
    }
    ids.push_back(found->second);
  });
}

}  // namespace ty
