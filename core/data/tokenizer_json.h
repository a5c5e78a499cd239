// tokenizer.json, the parts of the Hugging Face format that tokenizers here need: what decides on
// ids is honoured or refused by name, what does not is kept and written back.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/data/json_value.h"
#include "core/data/tokenizer.h"

namespace ty {

// What stands in tokenizer_config.json.
struct TokenizerConfig {
  std::string text;                   // empty: there is no such file
  std::optional<std::string> ending;  // eos_token
};

// The tokenizer that a tokenizer.json describes; `text` is that of the file. Throws DataError.
std::unique_ptr<Tokenizer> tokenizer_of(const JsonValue& file, std::string text,
                                        const TokenizerConfig& config);
// That of a vocab.json and of an array of the lines of merges.txt. Throws DataError.
std::unique_ptr<Tokenizer> tokenizer_of_vocabulary(const JsonValue& vocab, const JsonValue& merges,
                                                   const TokenizerConfig& config);

// A tokenizer.json of these parts.
std::string tokenizer_json(const std::vector<AddedToken>& added, nlohmann::json pre_tokenizer,
                           nlohmann::json decoder, nlohmann::json model);

// How texts are cut into characters. The former pattern is one that other programs cannot read.
nlohmann::json split_at_characters(const char* pattern);
inline constexpr const char* kCharacterPattern = "[\\s\\S]";
inline constexpr const char* kFormerCharacterPattern = "(?s).";

}  // namespace ty
