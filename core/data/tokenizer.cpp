#include "core/data/tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/error.h"
#include "core/data/bpe.h"
#include "core/data/char_tokenizer.h"
#include "core/data/utf8.h"
#include "core/data/wordpiece.h"
#include "core/io/file.h"

namespace ty {

std::string_view name_of(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::bytes:
      return "bytes";
    case TokenizerKind::chars:
      return "chars";
    case TokenizerKind::bpe:
      return "bpe";
    case TokenizerKind::wordpiece:
      return "wordpiece";
  }
  throw InternalError("unknown tokenizer kind");
}

void add_end_of_text(Vocabulary& vocabulary) {
  const auto id = static_cast<std::int32_t>(vocabulary.tokens.size());
  vocabulary.tokens.emplace_back(kEndOfText);
  AddedToken token;
  token.id = id;
  token.content = kEndOfText;
  vocabulary.added.push_back(std::move(token));
  vocabulary.end_of_text = vocabulary.special.bos = vocabulary.special.eos = id;
}

Tokenizer::Tokenizer(Vocabulary vocabulary, TokenizerFiles files, TextNormalizer normalize)
    : vocabulary_(std::move(vocabulary)),
      normalize_(std::move(normalize)),
      added_(vocabulary_.added, normalize_),
      files_(std::move(files)) {}

std::vector<std::string_view> Tokenizer::pieces(std::string_view text, std::size_t) const {
  return {text};
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  if (normalize_) {
    const bool is_valid = valid_utf8_prefix(text) == text.size();
    return is_valid ? encode_normalized(text)
                    : encode_normalized(with_replacement_characters(text));
  }
  std::vector<std::int32_t> ids;
  encode_parts(text, added_.split(text), ids);
  return ids;
}

std::vector<std::int32_t> Tokenizer::encode_normalized(std::string_view text) const {
  std::vector<std::int32_t> ids;
  for (const TextPart& part : added_.split_as_written(text)) {
    if (part.token != nullptr) {
      ids.push_back(part.token->id);
    } else {
      const std::string normalized = normalize_(part.text);
      encode_parts(normalized, added_.split_normalized(normalized), ids);
    }
  }
  return ids;
}

void Tokenizer::encode_parts(std::string_view text, const std::vector<TextPart>& parts,
                             std::vector<std::int32_t>& ids) const {
  for (const TextPart& part : parts) {
    if (part.token != nullptr) {
      ids.push_back(part.token->id);
    } else {
      encode_plain(part.text, static_cast<std::size_t>(part.text.data() - text.data()), ids);
    }
  }
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (std::int32_t id : ids) {
    if (has_text(id)) text += vocabulary_.tokens[static_cast<std::size_t>(id)];
  }
  return text;
}

bool Tokenizer::has_text(std::int32_t id) const {
  return id >= 0 && id < vocab_size() && !vocabulary_.tokens[static_cast<std::size_t>(id)].empty();
}

bool Tokenizer::is_special(std::int32_t id) const {
  const std::vector<AddedToken>& tokens = added_.tokens();
  return std::any_of(std::begin(kSpecialTokenRoles), std::end(kSpecialTokenRoles),
                     [&](const SpecialTokenRole& role) { return special().*role.id == id; }) ||
         std::any_of(tokens.begin(), tokens.end(),
                     [&](const AddedToken& token) { return token.special && token.id == id; });
}

std::string Tokenizer::to_json() const {
  return files_.definition.empty() ? made_json() : files_.definition;
}

std::uint64_t Tokenizer::fingerprint() const {
  const std::string json = definition();
  return XXH3_64bits(json.data(), json.size());
}

std::string Tokenizer::made_config() const {
  std::string tokens;
  for (const SpecialTokenRole& role : kSpecialTokenRoles) {
    const auto id = special().*role.id;
    if (!id) continue;
    const std::string& text = vocabulary_.tokens[static_cast<std::size_t>(*id)];
    tokens += fmt::format("  \"{}\": {},\n", role.key, nlohmann::json(text).dump());
  }
  return fmt::format(
      "{{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n{}"
      "  \"clean_up_tokenization_spaces\": false\n}}\n",
      tokens);
}

void Tokenizer::save(const std::filesystem::path& directory) const {
  std::filesystem::create_directories(directory);
  const std::string definition = to_json();
  const std::string config = files_.config.empty() ? made_config() : files_.config;
  atomic_write_file(directory / "tokenizer.json", bytes_of(definition));
  atomic_write_file(directory / "tokenizer_config.json", bytes_of(config));
  if (files_.special_map.empty()) return;
  atomic_write_file(directory / "special_tokens_map.json", bytes_of(files_.special_map));
}

std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSpec& spec,
                                          std::span<const std::string_view> documents) {
  switch (spec.kind) {
    case TokenizerKind::bytes:
      return std::make_unique<BpeTokenizer>(byte_model());
    case TokenizerKind::chars:
      return std::make_unique<CharTokenizer>(CharTokenizer::learn(documents));
    case TokenizerKind::bpe:
      return std::make_unique<BpeTokenizer>(train_bpe(documents, spec.vocab));
    case TokenizerKind::wordpiece:
      return std::make_unique<WordPieceTokenizer>(
          train_wordpiece(documents, spec.vocab, spec.lowercase));
  }
  throw InternalError("unknown tokenizer kind");
}

}  // namespace ty
