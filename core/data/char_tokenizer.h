// One id per distinct character (code point).
#pragma once

#include <unordered_map>

#include "core/data/tokenizer.h"

namespace ty {

class CharTokenizer final : public Tokenizer {
 public:
  // `characters` are UTF-8, in the order of their ids; end-of-text follows.
  explicit CharTokenizer(std::vector<std::string> characters);
  // The distinct code points of the documents, in ascending order. Throws DataError if a text is
  // not valid UTF-8.
  static CharTokenizer learn(std::span<const std::string_view> documents);

  TokenizerKind kind() const override { return TokenizerKind::chars; }
  std::int64_t vocab_size() const override { return static_cast<std::int64_t>(tokens_.size()); }
  std::optional<std::int32_t> end_of_text() const override {
    return static_cast<std::int32_t>(tokens_.size()) - 1;
  }
  std::string to_json() const override;

 protected:
  void encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const override;
  const std::string& bytes_of_id(std::int32_t id) const override {
    return tokens_[static_cast<std::size_t>(id)];
  }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<char32_t, std::int32_t> ids_;
};

}  // namespace ty
