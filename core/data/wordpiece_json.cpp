// Reading and writing WordPiece tokenizers: tokenizer.json, and BERT's vocab.txt.
#include <algorithm>

#include "core/base/error.h"
#include "core/data/bert_characters.h"
#include "core/data/tokenizer_json.h"
#include "core/data/utf8.h"
#include "core/data/wordpiece.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMostCharacters = std::int64_t{1} << 30;  // of a word
constexpr std::pair<const char*, const char*> kBertTokens[] = {{"unk_token", "[UNK]"},
                                                               {"sep_token", "[SEP]"},
                                                               {"pad_token", "[PAD]"},
                                                               {"cls_token", "[CLS]"},
                                                               {"mask_token", "[MASK]"}};

bool has_type(const Json& value, const char* type) {
  return value.is_object() && value.value("type", Json()) == type;
}
bool is_null_or_bert(const Json& value) {
  return value.is_null() || has_type(value, "BertNormalizer");
}
bool is_bert_pre_tokenizer(const Json& value) {
  return value == Json{{"type", "BertPreTokenizer"}};
}
bool is_null_or_wordpiece(const Json& value) {
  return value.is_null() || has_type(value, "WordPiece");
}

constexpr JsonPart kParts[] = {
    {"normalizer", is_null_or_bert, "null or BertNormalizer"},
    {"truncation", is_null, "null"},
    {"padding", pads_no_single_text, "null"},
    {"pre_tokenizer", is_bert_pre_tokenizer, "BertPreTokenizer"},
    {"decoder", is_null_or_wordpiece, "null or WordPiece"},
};

BertNormalizerSpec read_normalizer(const JsonValue& value) {
  if (value.json.is_null()) return {false, false, false, false};
  BertNormalizerSpec spec;
  spec.clean_text = value.at("clean_text").flag();
  spec.handle_chinese_chars = value.at("handle_chinese_chars").flag();
  spec.lowercase = value.at("lowercase").flag();
  const bool follows = value.json.value("strip_accents", Json()).is_null();
  if (!follows) spec.strip_accents = value.at("strip_accents").flag();
  return spec;
}

Json normalizer_json(const BertNormalizerSpec& spec) {
  return {{"type", "BertNormalizer"},
          {"clean_text", spec.clean_text},
          {"handle_chinese_chars", spec.handle_chinese_chars},
          {"strip_accents", spec.strip_accents ? Json(*spec.strip_accents) : Json()},
          {"lowercase", spec.lowercase}};
}

std::optional<WordPieceDecoder> read_decoder(const JsonValue& value) {
  if (value.json.is_null()) return std::nullopt;
  return WordPieceDecoder{value.at("prefix").string(), value.at("cleanup").flag()};
}

std::int64_t read_longest_word(const JsonValue& model) {
  const JsonValue length = model.at("max_input_chars_per_word");
  if (!length.json.is_number_integer() || length.json < 0 || length.json > kMostCharacters) {
    length.refuse(fmt::format("0 to {}", kMostCharacters));
  }
  return length.json.get<std::int64_t>();
}

std::int32_t id_of_unknown(const JsonValue& token, const TokenIds& ids) {
  const auto found = ids.find(token.string());
  if (found == ids.end()) token.refuse("a token of the vocabulary");
  return found->second;
}

// The texts of all ids from those of the pieces and of the added tokens. A token of which nothing
// is left to look for has no meaning in the public library either.
void set_texts(WordPieceModel& model, const TokenIds& ids, const std::string& file) {
  for (const auto& [piece, id] : ids) set_token(model.pieces, id, piece);
  model.vocabulary.tokens = model.pieces;
  const BertNormalizer normalizer(model.normalizer);
  for (const AddedToken& token : model.vocabulary.added) {
    set_token(model.vocabulary.tokens, token.id, token.content);
    if (token.normalized && normalizer.normalize(token.content).empty()) {
      throw DataError(
          "{}: the added token {} is normalized, and nothing is left of it; want "
          "\"normalized\": false",
          file, in_quotes(token.content));
    }
  }
}

std::string_view without_white_space_at_end(std::string_view line) {
  while (!line.empty()) {
    const Utf8Char last = utf8_before(line, line.size());
    if (BertCharacters::get().role(last.code) != WordRole::separator) break;
    line.remove_suffix(last.length);
  }
  return line;
}

// Lines as the public library reads them: without white space at the end, and of equal ones the
// last counts.
TokenIds ids_of_lines(std::string_view text, const std::string& file) {
  if (valid_utf8_prefix(text) < text.size()) {
    throw DataError("{}: byte {} is not valid UTF-8", file, valid_utf8_prefix(text));
  }
  TokenIds ids;
  for (std::int32_t id = 0; !text.empty(); ++id) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    ids[std::string(without_white_space_at_end(text.substr(0, end)))] = id;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

}  // namespace

std::unique_ptr<Tokenizer> wordpiece_of(const JsonValue& file, std::string text,
                                        const TokenizerConfig& config) {
  check_parts(file, kParts);
  const Json absent;
  const auto part = [&](const char* key) {
    return file.object().contains(key) ? file.at(key) : JsonValue{absent, file.file, key};
  };
  const JsonValue spec = file.at("model");
  const TokenIds ids = read_vocab(spec.at("vocab"));
  WordPieceModel model;
  model.normalizer = read_normalizer(part("normalizer"));
  model.prefix = spec.at("continuing_subword_prefix").string();
  model.longest_word = read_longest_word(spec);
  model.unknown = id_of_unknown(spec.at("unk_token"), ids);
  model.decoder = read_decoder(part("decoder"));
  model.vocabulary.added = added_tokens_of(file, ids);
  find_special_tokens(model.vocabulary, ids, config);
  model.vocabulary.special.unk = model.unknown;
  set_texts(model, ids, file.file);
  model.vocabulary.templates = read_post_processor(part("post_processor"), model.vocabulary.tokens);
  check_agrees(config, "do_lower_case", model.normalizer.lowercase);
  check_agrees(config, "tokenize_chinese_chars", model.normalizer.handle_chinese_chars);
  check_agrees(config, "strip_accents",
               model.normalizer.strip_accents.value_or(model.normalizer.lowercase));
  return std::make_unique<WordPieceTokenizer>(std::move(model), config.files_with(std::move(text)));
}

std::unique_ptr<Tokenizer> tokenizer_of_lines(const std::string& text, const std::string& file,
                                              const TokenizerConfig& config) {
  if (config.flag("do_basic_tokenize") == false) {
    config.root().at("do_basic_tokenize").refuse_as_unsupported("true");
  }
  TokenizerConfig full = config;
  for (const auto& [role, content] : kBertTokens) full.propose(role, content);
  const TokenIds ids = ids_of_lines(text, file);
  WordPieceModel model;
  model.normalizer = {.clean_text = true,
                      .handle_chinese_chars = config.flag("tokenize_chinese_chars").value_or(true),
                      .strip_accents = config.flag("strip_accents"),
                      .lowercase = config.flag("do_lower_case").value_or(true)};
  find_special_tokens(model.vocabulary, ids, full);
  const SpecialTokens& special = model.vocabulary.special;
  if (!special.unk || !special.cls || !special.sep) {
    throw DataError("{}: no line for {}; want a line for each of unk_token, cls_token, sep_token",
                    file,
                    !special.unk   ? "unk_token"
                    : !special.cls ? "cls_token"
                                   : "sep_token");
  }
  model.unknown = *special.unk;
  model.vocabulary.templates = bert_templates(*special.cls, *special.sep);
  set_texts(model, ids, file);
  return std::make_unique<WordPieceTokenizer>(std::move(model), config.files_with({}));
}

Json WordPieceTokenizer::model_json() const {
  Json vocab = Json::object();
  for (std::size_t id = 0; id < pieces_.size(); ++id) {
    if (!pieces_[id].empty()) vocab[pieces_[id]] = id;
  }
  return {{"type", "WordPiece"},
          {"unk_token", pieces_[static_cast<std::size_t>(unknown_)]},
          {"continuing_subword_prefix", prefix_},
          {"max_input_chars_per_word", longest_word_},
          {"vocab", std::move(vocab)}};
}

std::string WordPieceTokenizer::definition() const {
  BertNormalizerSpec spec = normalizer_;
  spec.strip_accents = spec.strip_accents.value_or(spec.lowercase);
  return tokenizer_json(found_alike(vocabulary().added, true),
                        {.normalizer = normalizer_json(spec),
                         .pre_tokenizer = {{"type", "BertPreTokenizer"}},
                         .post_processor = nullptr,
                         .decoder = nullptr,
                         .model = model_json()});
}

std::string WordPieceTokenizer::made_json() const {
  const Json decoder = decoder_ ? Json{{"type", "WordPiece"},
                                       {"prefix", decoder_->prefix},
                                       {"cleanup", decoder_->cleanup}}
                                : Json();
  return tokenizer_json(vocabulary().added,
                        {.normalizer = normalizer_json(normalizer_),
                         .pre_tokenizer = {{"type", "BertPreTokenizer"}},
                         .post_processor = post_processor_of(templates(), vocabulary().tokens),
                         .decoder = decoder,
                         .model = model_json()});
}

}  // namespace ty
