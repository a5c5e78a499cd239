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

bool is_null_or_zero(const Json& value) { return value.is_null() || value == 0.0; }
bool is_null_or_empty(const Json& value) { return value.is_null() || value == ""; }
bool is_null_or_flag(const Json& value) { return value.is_null() || value.is_boolean(); }

bool is_byte_level(const Json& value) {
  return value.is_object() && value.value("type", Json()) == "ByteLevel";
}
bool is_null_or_byte_level(const Json& value) { return value.is_null() || is_byte_level(value); }
bool splits_at_words(const Json& value) {
  return is_byte_level(value) && value.value("add_prefix_space", Json(false)).is_boolean() &&
         value.value("use_regex", Json(true)) == true;
}
bool splits_at_characters(const Json& value) {
  return value == split_at_characters(kCharacterPattern) ||
         value == split_at_characters(kFormerCharacterPattern);
}
bool is_fuse(const Json& value) { return value == Json{{"type", "Fuse"}}; }
bool is_end_of_text(const Json& value) { return value == kEndOfText; }

constexpr JsonPart kBpeParts[] = {
    {"normalizer", is_null, "null"},
    {"truncation", is_null, "null"},
    {"padding", pads_no_single_text, "null"},
    {"pre_tokenizer", splits_at_words, "ByteLevel with use_regex true"},
    {"decoder", is_null_or_byte_level, "ByteLevel"},
};
// unk_token, fuse_unk and byte_fallback are for bytes without a token; there must be none.
constexpr JsonPart kBpeModelParts[] = {
    {"dropout", is_null_or_zero, "null"},
    {"continuing_subword_prefix", is_null_or_empty, "null"},
    {"end_of_word_suffix", is_null_or_empty, "null"},
    {"ignore_merges", is_null_or_flag, "true or false"},
};
// Word-level models other than ours have words, and rules for unknown ones.
constexpr JsonPart kCharacterParts[] = {
    {"normalizer", is_null, "null"},
    {"truncation", is_null, "null"},
    {"padding", pads_no_single_text, "null"},
    {"pre_tokenizer", splits_at_characters, "that of tokenizer.kind: chars with a WordLevel model"},
    {"post_processor", is_null, "null"},
    {"decoder", is_fuse, "Fuse"},
};
constexpr JsonPart kCharacterModelParts[] = {{"unk_token", is_end_of_text, "<|endoftext|>"}};

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
    set_token(model.vocabulary.tokens, id, bytes.value_or(spelling));
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
  find_special_tokens(model.vocabulary, ids, config);
  read_tokens(model, ids, vocab);
  for (const AddedToken& token : model.vocabulary.added) {
    if (!ids.contains(token.content)) set_token(model.vocabulary.tokens, token.id, token.content);
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
  bpe.add_prefix_space = file.at("pre_tokenizer").json.value("add_prefix_space", false);
  check_agrees(config, "add_prefix_space", bpe.add_prefix_space);
  const Json post = file.json.value("post_processor", Json());
  bpe.vocabulary.templates =
      read_post_processor({post, file.file, "post_processor"}, bpe.vocabulary.tokens);
  return std::make_unique<BpeTokenizer>(std::move(bpe), config.files_with(std::move(text)));
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
  find_special_tokens(vocabulary, ids, config);
  for (const auto& [spelling, id] : ids) {
    if (spelling != kEndOfText && utf8_at(spelling + '\0', 0).length != spelling.size()) {
      vocab.at(spelling).refuse("one character for each token");
    }
    set_token(vocabulary.tokens, id, spelling);
  }
  return std::make_unique<CharTokenizer>(std::move(vocabulary), config.files_with({}));
}

// BART's tokenizer is RoBERTa's; OPT's is GPT-2's, with a configuration that says so.
bool reads_as_roberta(const TokenizerConfig& config, const TokenIds& ids) {
  const std::string name = config.tokenizer_class();
  if (name.starts_with("Roberta") || name.starts_with("Bart")) return true;
  return name.empty() && ids.contains("<s>") && ids.contains("</s>") &&
         !ids.contains(std::string(kEndOfText));
}

void propose_roberta_tokens(TokenizerConfig& config) {
  constexpr std::pair<const char*, const char*> kTokens[] = {
      {"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"},  {"pad_token", "<pad>"},
      {"cls_token", "<s>"}, {"sep_token", "</s>"}, {"mask_token", "<mask>"}};
  for (const auto& [role, content] : kTokens) config.propose(role, content);
  // The space before a mask belongs to it unless the configuration says otherwise.
  Json& mask = config.json["mask_token"];
  if (mask.is_string()) mask = {{"content", mask}, {"lstrip", true}};
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_of(const JsonValue& file, std::string text,
                                        const TokenizerConfig& config) {
  const JsonValue model = file.at("model");
  const Json type = model.object().value("type", Json("BPE"));
  if (type == "BPE") return bpe_of(file, std::move(text), config);
  if (type == "WordLevel") return characters_of(file, config);
  if (type == "WordPiece") return wordpiece_of(file, std::move(text), config);
  model.at("type").refuse_as_unsupported("BPE or WordPiece");
}

std::unique_ptr<Tokenizer> tokenizer_of_vocabulary(const JsonValue& vocab, const JsonValue& merges,
                                                   const TokenizerConfig& config) {
  const TokenIds ids = read_vocab(vocab);
  const bool is_roberta = reads_as_roberta(config, ids);
  TokenizerConfig full = config;
  if (is_roberta) {
    propose_roberta_tokens(full);
  } else {
    full.propose("eos_token", kEndOfText);  // GPT-2's tokenizer adds it without being told
    full.propose("bos_token", kEndOfText);
  }
  BpeModel model = bpe_model(vocab, merges, ids, {}, full);
  model.add_prefix_space = config.flag("add_prefix_space").value_or(false);
  Vocabulary& vocabulary = model.vocabulary;
  const SpecialTokens& special = vocabulary.special;
  if (is_roberta && special.cls && special.sep) {
    vocabulary.templates = roberta_templates(*special.cls, *special.sep);
  } else if (config.flag("add_bos_token").value_or(false) && special.bos) {
    vocabulary.templates = bos_templates(*special.bos);
  }
  return std::make_unique<BpeTokenizer>(std::move(model), config.files_with({}));
}

}  // namespace ty
