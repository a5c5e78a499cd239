#include "core/data/char_tokenizer.h"

#include <set>

#include "core/base/error.h"
#include "core/data/utf8.h"

namespace ty {

namespace {

// Calls fn(code point, position) for each character; throws DataError for bytes that are none.
// `position` is that of the text in a longer one.
template <typename Fn>
void for_characters(std::string_view text, std::size_t position, Fn&& fn) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_at(text, at);
    if (c.length == 0) {
      throw DataError(
          "tokenizer: byte {} of the text ({:#04x}) is not valid UTF-8; chars wants UTF-8, "
          "bytes and bpe take anything",
          position + at, static_cast<unsigned char>(text[at]));
    }
    fn(c.code, position + at);
    at += c.length;
  }
}

}  // namespace

CharTokenizer::CharTokenizer(Vocabulary given, TokenizerFiles files)
    : Tokenizer(std::move(given), std::move(files)) {
  const auto& tokens = vocabulary().tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].empty()) continue;
    const Utf8Char c = utf8_at(tokens[i], 0);
    if (c.length == tokens[i].size()) ids_.emplace(c.code, static_cast<std::int32_t>(i));
  }
}

CharTokenizer CharTokenizer::learn(std::span<const std::string_view> documents) {
  std::set<char32_t> codes;
  for (std::string_view document : documents) {
    for_characters(document, 0, [&](char32_t code, std::size_t) { codes.insert(code); });
  }
  Vocabulary vocabulary;
  for (char32_t code : codes) append_utf8(vocabulary.tokens.emplace_back(), code);
  add_end_of_text(vocabulary);
  return CharTokenizer(std::move(vocabulary));
}

void CharTokenizer::encode_plain(std::string_view text, std::size_t position,
                                 std::vector<std::int32_t>& ids) const {
  for_characters(text, position, [&](char32_t code, std::size_t at) {
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
