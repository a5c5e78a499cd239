#include "core/data/tokenizer.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/error.h"
#include "core/data/bpe.h"
#include "core/data/char_tokenizer.h"
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
  }
  throw InternalError("unknown tokenizer kind");
}

std::vector<std::string_view> Tokenizer::pieces(std::string_view text, std::size_t) const {
  return {text};
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> ids;
  const std::optional<std::int32_t> end = end_of_text();
  for (std::size_t at = 0;;) {
    const std::size_t mark = end ? text.find(kEndOfText, at) : std::string_view::npos;
    encode_plain(text.substr(at, mark == std::string_view::npos ? mark : mark - at), ids);
    if (mark == std::string_view::npos) return ids;
    ids.push_back(*end);
    at = mark + kEndOfText.size();
  }
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (std::int32_t id : ids) {
    if (id < 0 || id >= vocab_size()) {
      throw DataError("tokenizer: id {} is outside of the vocabulary [0, {})", id, vocab_size());
    }
    text += bytes_of_id(id);
  }
  return text;
}

std::uint64_t Tokenizer::fingerprint() const {
  const std::string json = to_json();
  return XXH3_64bits(json.data(), json.size());
}

void Tokenizer::save(const std::filesystem::path& directory) const {
  std::filesystem::create_directories(directory);
  const std::string definition = to_json();
  atomic_write_file(directory / "tokenizer.json", bytes_of(definition));
  const std::string config = fmt::format(
      "{{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n  \"eos_token\": \"{0}\",\n"
      "  \"bos_token\": \"{0}\",\n  \"clean_up_tokenization_spaces\": false\n}}\n",
      kEndOfText);
  atomic_write_file(directory / "tokenizer_config.json", bytes_of(config));
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
  }
  throw InternalError("unknown tokenizer kind");
}

}  // namespace ty
