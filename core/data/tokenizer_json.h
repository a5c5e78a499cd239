// tokenizer.json: the parts of the Hugging Face format that our tokenizers need. Whatever affects
// ids is either supported or refused by name; everything else is kept and written back.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/data/json_value.h"
#include "core/data/tokenizer.h"

namespace ty {

// The content of tokenizer_config.json.
struct TokenizerConfig {
  std::string text;                   // empty: there is no such file
  std::optional<std::string> ending;  // eos_token
};

// The tokenizer that a tokenizer.json describes; `text` is the text of the file. Throws DataError.
std::unique_ptr<Tokenizer> tokenizer_of(const JsonValue& file, std::string text,
                                        const TokenizerConfig& config);
// The same from a vocab.json and an array of the lines of merges.txt. Throws DataError.
std::unique_ptr<Tokenizer> tokenizer_of_vocabulary(const JsonValue& vocab, const JsonValue& merges,
                                                   const TokenizerConfig& config);

// A tokenizer.json composed of these parts.
std::string tokenizer_json(const std::vector<AddedToken>& added, nlohmann::json pre_tokenizer,
                           nlohmann::json decoder, nlohmann::json model);

// The pre-tokenizer that cuts a text into characters. Other programs cannot read the former
// pattern.
nlohmann::json split_at_characters(const char* pattern);
inline constexpr const char* kCharacterPattern = "[\\s\\S]";
inline constexpr const char* kFormerCharacterPattern = "(?s).";

}  // namespace ty
