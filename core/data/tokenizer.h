// Tokenizers: text to ids and back, behind one interface.
//
// Three kinds can be made here, and all are saved as Hugging Face files:
//   bytes  id = byte value; nothing is ever unknown                        257 ids
//   chars  one id per distinct code point of the training text, in order   distinct + 1 ids
//   bpe    byte-level BPE as in GPT-2, trained on the given text           as many ids as asked
// Each of them ends with <|endoftext|>, which stands between documents. Where that string occurs in
// a text it is read as the token, as Hugging Face does, and so are other added tokens of files that
// are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/added_tokens.h"

namespace ty {

inline constexpr std::string_view kEndOfText = "<|endoftext|>";

enum class TokenizerKind : std::uint8_t { bytes, chars, bpe };
inline constexpr TokenizerKind kTokenizerKinds[] = {TokenizerKind::bytes, TokenizerKind::chars,
                                                    TokenizerKind::bpe};
std::string_view name_of(TokenizerKind kind);

// What every kind of tokenizer knows of its ids.
struct Vocabulary {
  std::vector<std::string> tokens;          // bytes of each id; "" for an id without a text
  std::vector<AddedToken> added;            // their ids have texts, too
  std::optional<std::int32_t> end_of_text;  // one of the added tokens
};

// Makes <|endoftext|> the last id.
void add_end_of_text(Vocabulary& vocabulary);

// Files of a tokenizer as they were read, so that what is read is what is written back.
struct TokenizerFiles {
  std::string definition;  // tokenizer.json; empty: it is made from what the tokenizer knows
  std::string config;      // tokenizer_config.json; likewise
};

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
  // Bytes of the ids, which need not be valid UTF-8. Ids without a text give none.
  std::string decode(std::span<const std::int32_t> ids) const;
  // False for ids that the vocabulary leaves out, and for those beyond it: a model's table of
  // tokens may be larger than its tokenizer.
  bool has_text(std::int32_t id) const;
  // One above the largest id.
  std::int64_t vocab_size() const { return std::ssize(vocabulary_.tokens); }
  std::optional<std::int32_t> end_of_text() const { return vocabulary_.end_of_text; }
  // The content of tokenizer.json.
  std::string to_json() const;
  // Writes tokenizer.json and tokenizer_config.json; makes the directory if needed.
  void save(const std::filesystem::path& directory) const;
  // Equal for tokenizers that encode alike.
  std::uint64_t fingerprint() const;

 protected:
  Tokenizer(Vocabulary vocabulary, TokenizerFiles files);
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const AddedTokens& added() const { return added_; }
  // Appends the ids of a text without added tokens, which lies at `position` of a longer one.
  virtual void encode_plain(std::string_view text, std::size_t position,
                            std::vector<std::int32_t>& ids) const = 0;
  // tokenizer.json, made from what decides on ids and from nothing else.
  virtual std::string definition() const = 0;
  // tokenizer.json, made for other programs.
  virtual std::string made_json() const { return definition(); }

 private:
  std::string made_config() const;

  Vocabulary vocabulary_;
  AddedTokens added_;
  TokenizerFiles files_;
};

struct TokenizerSpec {
  TokenizerKind kind = TokenizerKind::bytes;
  std::int64_t vocab = 0;  // bpe: number of ids, at least 257
};

// Makes a tokenizer; `documents` is what chars and bpe learn from.
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSpec& spec,
                                          std::span<const std::string_view> documents);

// True if load_tokenizer() has something to read in a directory.
bool has_tokenizer_files(const std::filesystem::path& directory);
// Reads tokenizer.json, or vocab.json with merges.txt, of a directory. Throws DataError that names
// the file and key if it is damaged or asks for something that is not supported.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory);

}  // namespace ty
