// Reading: each part of a tokenizer.json that decides on ids has a line in a table here with what
// is understood of it; anything else is refused by name.
#include <algorithm>
#include <unordered_set>

#include "core/base/error.h"
#include "core/data/bpe.h"
#include "core/data/byte_level.h"
#include "core/data/char_tokenizer.h"
#include "core/data/tokenizer_json.h"
#include "core/data/utf8.h"
#include "core/data/vocabulary_reader.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;

bool is_null(const Json& value) { return value.is_null(); }
bool is_null_or_zero(const Json& value) { return value.is_null() || value == 0.0; }
bool is_null_or_empty(const Json& value) { return value.is_null() || value == ""; }
bool is_null_or_flag(const Json& value) { return value.is_null() || value.is_boolean(); }

bool is_byte_level(const Json& value) {
  return value.is_object() && value.value("type", Json()) == "ByteLevel";
}
bool is_null_or_byte_level(const Json& value) { return value.is_null() || is_byte_level(value); }
bool splits_at_words(const Json& value) {
  return is_byte_level(value) && value.value("add_prefix_space", Json(false)) == false &&
         value.value("use_regex", Json(true)) == true;
}
bool splits_at_characters(const Json& value) {
  return value == split_at_characters(kCharacterPattern) ||
         value == split_at_characters(kFormerCharacterPattern);
}
bool is_fuse(const Json& value) { return value == Json{{"type", "Fuse"}}; }
bool is_end_of_text(const Json& value) { return value == kEndOfText; }
// A single text is the longest of its batch.
bool pads_no_single_text(const Json& value) {
  return value.is_null() ||
         (value.is_object() && value.value("strategy", Json()) == "BatchLongest" &&
          value.value("pad_to_multiple_of", Json()).is_null());
}

struct Part {
  const char* key;
  bool (*is_understood)(const Json& value);
  const char* wanted;
};

constexpr Part kBpeParts[] = {
    {"normalizer", is_null, "null"},
    {"truncation", is_null, "null"},
    {"padding", pads_no_single_text, "null"},
    {"pre_tokenizer", splits_at_words, "ByteLevel with add_prefix_space false, use_regex true"},
    {"post_processor", is_null_or_byte_level, "null or ByteLevel"},
    {"decoder", is_null_or_byte_level, "ByteLevel"},
};
// unk_token, fuse_unk and byte_fallback are for bytes without a token; there must be none.
constexpr Part kBpeModelParts[] = {
    {"dropout", is_null_or_zero, "null"},
    {"continuing_subword_prefix", is_null_or_empty, "null"},
    {"end_of_word_suffix", is_null_or_empty, "null"},
    {"ignore_merges", is_null_or_flag, "true or false"},
};
// Word-level models other than ours have words, and rules for unknown ones.
constexpr Part kCharacterParts[] = {
    {"normalizer", is_null, "null"},
    {"truncation", is_null, "null"},
    {"padding", pads_no_single_text, "null"},
    {"pre_tokenizer", splits_at_characters, "that of tokenizer.kind: chars with a WordLevel model"},
    {"post_processor", is_null, "null"},
    {"decoder", is_fuse, "Fuse"},
};
constexpr Part kCharacterModelParts[] = {{"unk_token", is_end_of_text, "<|endoftext|>"}};

void check_parts(const JsonValue& object, std::span<const Part> parts) {
  for (const Part& part : parts) {
    if (part.is_understood(object.object().value(part.key, Json()))) continue;
    object.at(part.key).refuse_as_unsupported(part.wanted);  // or says that it is missing
  }
}

void set_token(Vocabulary& vocabulary, std::int32_t id, std::string text) {
  const auto at = static_cast<std::size_t>(id);
  if (at >= vocabulary.tokens.size()) vocabulary.tokens.resize(at + 1);
  vocabulary.tokens[at] = std::move(text);
}

// The token that tokenizer_config.json names, or <|endoftext|>. One that is named there is an added
// token, whatever tokenizer.json says of it.
void find_end_of_text(Vocabulary& vocabulary, const TokenIds& ids, const TokenizerConfig& config) {
  const auto id_of = [&](std::string_view content) -> std::optional<std::int32_t> {
    for (const AddedToken& token : vocabulary.added) {
      if (token.content == content) return token.id;
    }
    return std::nullopt;
  };
  if (config.ending && !id_of(*config.ending) && ids.contains(*config.ending)) {
    AddedToken token;
    token.id = ids.at(*config.ending);
    token.content = *config.ending;
    vocabulary.added.push_back(std::move(token));
  }
  if (config.ending) vocabulary.end_of_text = id_of(*config.ending);
  if (!vocabulary.end_of_text) vocabulary.end_of_text = id_of(kEndOfText);
}

std::pair<std::string, std::string> pair_of(const JsonValue& merge) {
  if (merge.json.is_array() && merge.json.size() == 2) {
    return {merge.at(0).string(), merge.at(1).string()};
  }
  const std::string& text = merge.string();
  const std::size_t space = text.find(' ');
  if (space == text.npos) merge.refuse("two tokens with a space between");
  return {text.substr(0, space), text.substr(space + 1)};
}

std::vector<Merge> read_merges(const JsonValue& merges, const TokenIds& ids) {
  std::vector<Merge> result;
  for (std::size_t i = 0; i < merges.array().size(); ++i) {
    const JsonValue merge = merges.at(i);
    const auto [left, right] = pair_of(merge);
    const auto id_of = [&](const std::string& spelling) {
      const auto found = ids.find(spelling);
      if (found == ids.end()) {
        merge.refuse(fmt::format("tokens of the vocabulary; {} is none", in_quotes(spelling)));
      }
      return found->second;
    };
    result.push_back({id_of(left), id_of(right), id_of(left + right)});
  }
  return result;
}

// Texts of the vocabulary, and the ids of single bytes. Only an added token may be spelled
// otherwise than byte by byte: no word has such characters.
void read_tokens(BpeModel& model, const TokenIds& ids, const JsonValue& vocab) {
  std::unordered_set<std::string> added;
  for (const AddedToken& token : model.vocabulary.added) added.insert(token.content);
  model.byte_ids.fill(-1);
  for (const auto& [spelling, id] : ids) {
    const auto bytes = byte_level_bytes(spelling);
    if (!bytes && !added.contains(spelling)) {
      throw DataError("{}: token {} is not byte-level text", vocab.file, in_quotes(spelling));
    }
    if (bytes && bytes->size() == 1) model.byte_ids[static_cast<unsigned char>((*bytes)[0])] = id;
    set_token(model.vocabulary, id, bytes.value_or(spelling));
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (model.byte_ids[byte] < 0) {
      throw DataError("{}: no token for the byte {:#04x}", vocab.file, byte);
    }
  }
}

BpeModel bpe_model(const JsonValue& vocab, const JsonValue& merges, const TokenIds& ids,
                   std::vector<AddedToken> added, const TokenizerConfig& config) {
  BpeModel model;
  model.vocabulary.added = std::move(added);
  find_end_of_text(model.vocabulary, ids, config);
  read_tokens(model, ids, vocab);
  for (const AddedToken& token : model.vocabulary.added) {
    if (!ids.contains(token.content)) set_token(model.vocabulary, token.id, token.content);
  }
  model.merges = read_merges(merges, ids);
  return model;
}

// True for files of ours that the public library reads otherwise; they are written anew.
bool is_former(const std::vector<AddedToken>& added, const TokenIds& ids) {
  return std::any_of(added.begin(), added.end(), [&](const AddedToken& token) {
    return !ids.contains(token.content) && token.id < std::ssize(ids);
  });
}

std::vector<AddedToken> added_tokens_of(const JsonValue& file, const TokenIds& ids) {
  if (!file.json.contains("added_tokens")) return {};
  return read_added_tokens(file.at("added_tokens"), ids);
}

std::unique_ptr<Tokenizer> bpe_of(const JsonValue& file, std::string text,
                                  const TokenizerConfig& config) {
  check_parts(file, kBpeParts);
  const JsonValue model = file.at("model");
  check_parts(model, kBpeModelParts);
  const TokenIds ids = read_vocab(model.at("vocab"));
  std::vector<AddedToken> added = added_tokens_of(file, ids);
  if (is_former(added, ids)) text.clear();
  BpeModel bpe = bpe_model(model.at("vocab"), model.at("merges"), ids, std::move(added), config);
  if (model.json.value("ignore_merges", Json()) == true) {
    for (const auto& [spelling, id] : ids) {
      if (const auto bytes = byte_level_bytes(spelling)) bpe.whole_words[*bytes] = id;
    }
  }
  return std::make_unique<BpeTokenizer>(std::move(bpe),
                                        TokenizerFiles{std::move(text), config.text});
}

std::unique_ptr<Tokenizer> characters_of(const JsonValue& file, const TokenizerConfig& config) {
  check_parts(file, kCharacterParts);
  check_parts(file.at("model"), kCharacterModelParts);
  const JsonValue vocab = file.at("model").at("vocab");
  const TokenIds ids = read_vocab(vocab);
  Vocabulary vocabulary;
  vocabulary.added = read_added_tokens(file.at("added_tokens"), ids);
  if (vocabulary.added.size() != 1 || vocabulary.added[0].content != kEndOfText) {
    file.at("added_tokens").refuse("<|endoftext|> alone");
  }
  vocabulary.end_of_text = vocabulary.added[0].id;
  for (const auto& [spelling, id] : ids) {
    if (spelling != kEndOfText && utf8_at(spelling + '\0', 0).length != spelling.size()) {
      vocab.at(spelling).refuse("one character for each token");
    }
    set_token(vocabulary, id, spelling);
  }
  return std::make_unique<CharTokenizer>(std::move(vocabulary), TokenizerFiles{{}, config.text});
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_of(const JsonValue& file, std::string text,
                                        const TokenizerConfig& config) {
  const JsonValue model = file.at("model");
  const Json type = model.object().value("type", Json("BPE"));
  if (type == "BPE") return bpe_of(file, std::move(text), config);
  if (type == "WordLevel") return characters_of(file, config);
  model.at("type").refuse_as_unsupported("BPE");
}

std::unique_ptr<Tokenizer> tokenizer_of_vocabulary(const JsonValue& vocab, const JsonValue& merges,
                                                   const TokenizerConfig& config) {
  // GPT-2's own tokenizer adds <|endoftext|> without being told.
  TokenizerConfig with_ending = config;
  if (!with_ending.ending) with_ending.ending = kEndOfText;
  return std::make_unique<BpeTokenizer>(
      bpe_model(vocab, merges, read_vocab(vocab), {}, with_ending),
      TokenizerFiles{{}, config.text});
}

}  // namespace ty
