// One id per distinct character (code point).
#pragma once

#include <unordered_map>

#include "core/data/tokenizer.h"

namespace ty {

class CharTokenizer final : public Tokenizer {
 public:
  // Every id with a text is a character or an added token.
  explicit CharTokenizer(Vocabulary vocabulary, TokenizerFiles files = {});
  // The distinct code points of the documents in ascending order, and the end of text. Throws
  // DataError if a text is not valid UTF-8.
  static CharTokenizer learn(std::span<const std::string_view> documents);

  TokenizerKind kind() const override { return TokenizerKind::chars; }

 protected:
  void encode_plain(std::string_view text, std::size_t position,
                    std::vector<std::int32_t>& ids) const override;
  std::string definition() const override;
  std::string made_json() const override;

 private:
  std::string json_with(const char* pattern) const;

  std::unordered_map<char32_t, std::int32_t> ids_;
};

}  // namespace ty
