// tokenizer.json: the parts of the Hugging Face format that our tokenizers need. Whatever affects
// ids is either supported or refused by name; everything else is kept and written back.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "core/data/json_value.h"
#include "core/data/tokenizer.h"
#include "core/data/tokenizer_config.h"

namespace ty {

// The tokenizer that a tokenizer.json describes; `text` is the text of the file. Throws DataError.
std::unique_ptr<Tokenizer> tokenizer_of(const JsonValue& file, std::string text,
                                        const TokenizerConfig& config);
// The same from a vocab.json and an array of the lines of merges.txt, as GPT-2, RoBERTa, BART and
// OPT have them. Throws DataError.
std::unique_ptr<Tokenizer> tokenizer_of_vocabulary(const JsonValue& vocab, const JsonValue& merges,
                                                   const TokenizerConfig& config);
// The same from a vocab.txt of BERT, a token per line. Throws DataError.
std::unique_ptr<Tokenizer> tokenizer_of_lines(const std::string& text, const std::string& file,
                                              const TokenizerConfig& config);
// That of tokenizer_of() with a WordPiece model.
std::unique_ptr<Tokenizer> wordpiece_of(const JsonValue& file, std::string text,
                                        const TokenizerConfig& config);

// What is understood of a part of tokenizer.json, and what to say if it is something else.
struct JsonPart {
  const char* key;
  bool (*is_understood)(const nlohmann::json& value);
  const char* wanted;
};
// Throws DataError for the first that is not understood.
void check_parts(const JsonValue& object, std::span<const JsonPart> parts);
bool is_null(const nlohmann::json& value);
// Padding that adds nothing to a single text.
bool pads_no_single_text(const nlohmann::json& value);

// The array added_tokens of a file, if there is one. Throws DataError.
std::vector<AddedToken> added_tokens_of(const JsonValue& file, const TokenIds& ids);
// Gives an id its text.
void set_token(std::vector<std::string>& tokens, std::int32_t id, std::string text);

// Throws DataError if the configuration says otherwise than tokenizer.json: the transformers
// library believes the first, the tokenizers library the second.
void check_agrees(const TokenizerConfig& config, const char* key, bool value);

// The parts of a tokenizer.json.
struct TokenizerJson {
  nlohmann::json normalizer, pre_tokenizer, post_processor, decoder, model;
};
std::string tokenizer_json(const std::vector<AddedToken>& added, const TokenizerJson& parts);
// The same for all tokens that are found alike: sorted, and without differences that change no id.
// Without a normalizer only the order of search depends on `normalized`.
std::vector<AddedToken> found_alike(std::vector<AddedToken> tokens, bool has_normalizer = false);

// The pre-tokenizer that cuts a text into characters. Other programs cannot read the former
// pattern.
nlohmann::json split_at_characters(const char* pattern);
inline constexpr const char* kCharacterPattern = "[\\s\\S]";
inline constexpr const char* kFormerCharacterPattern = "(?s).";

}  // namespace ty
