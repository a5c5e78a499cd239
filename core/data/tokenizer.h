// Tokenizers: text to ids and back, behind one interface.
//
// Three kinds can be made here, and all are saved as Hugging Face files:
//   bytes  id = byte value; nothing is ever unknown                        257 ids
//   chars  one id per distinct code point of the training text, in order   distinct + 1 ids
//   bpe    byte-level BPE as in GPT-2, trained on the given text           as many ids as asked
// Each of them ends with <|endoftext|>, which stands between documents. Where that string occurs in
// a text it is read as the token, as Hugging Face does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

inline constexpr std::string_view kEndOfText = "<|endoftext|>";

enum class TokenizerKind : std::uint8_t { bytes, chars, bpe };
inline constexpr TokenizerKind kTokenizerKinds[] = {TokenizerKind::bytes, TokenizerKind::chars,
                                                    TokenizerKind::bpe};
std::string_view name_of(TokenizerKind kind);

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual TokenizerKind kind() const = 0;

  // Ids of a text; no token is added at either end. Throws DataError if a character has no id
  // (chars only).
  std::vector<std::int32_t> encode(std::string_view text) const;
  // Consecutive parts of a text, of about `bytes` bytes where that is possible: their ids, one part
  // after the other, are those of the text.
  virtual std::vector<std::string_view> pieces(std::string_view text, std::size_t bytes) const;
  // Bytes of the ids, which need not be valid UTF-8. Throws DataError for an id outside the
  // vocabulary.
  std::string decode(std::span<const std::int32_t> ids) const;
  // One above the largest id.
  virtual std::int64_t vocab_size() const = 0;
  virtual std::optional<std::int32_t> end_of_text() const = 0;
  // The content of tokenizer.json.
  virtual std::string to_json() const = 0;
  // Writes tokenizer.json and tokenizer_config.json; makes the directory if needed.
  void save(const std::filesystem::path& directory) const;
  // Equal for tokenizers that encode alike.
  std::uint64_t fingerprint() const;

 protected:
  // Appends the ids of a text that does not hold the end-of-text string.
  virtual void encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const = 0;
  // The bytes of one id below vocab_size().
  virtual const std::string& bytes_of_id(std::int32_t id) const = 0;
};

struct TokenizerSpec {
  TokenizerKind kind = TokenizerKind::bytes;
  std::int64_t vocab = 0;  // bpe: number of ids, at least 257
};

// Makes a tokenizer; `documents` is what chars and bpe learn from.
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSpec& spec,
                                          std::span<const std::string_view> documents);

// Reads tokenizer.json, or vocab.json with merges.txt, of a directory. Throws DataError that names
// the file if it is damaged or asks for something that is not supported.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory);

}  // namespace ty
