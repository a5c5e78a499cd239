// What stands beside the vocabulary of a tokenizer: tokenizer_config.json, and
// special_tokens_map.json, which older programs write. Both name the special tokens; of a token
// that both name the first is believed.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/data/json_value.h"
#include "core/data/tokenizer.h"
#include "core/data/vocabulary_reader.h"

namespace ty {

struct TokenizerConfig {
  nlohmann::json json = nlohmann::json::object();  // of both files
  std::string file;                                // to name in messages
  TokenizerFiles files;                            // their texts; no definition

  // The files together with the text of tokenizer.json.
  TokenizerFiles files_with(std::string definition) const;
  JsonValue root() const { return {json, file, ""}; }
  // "BertTokenizerFast"; empty: not said.
  std::string tokenizer_class() const;
  // Nothing if the key is missing or null. Throws DataError unless it is true or false.
  std::optional<bool> flag(const std::string& key) const;
  // The token with this role, with its flags but no id; nothing if there is none. Throws DataError
  // if it is neither a string nor a token.
  std::optional<AddedToken> token(const std::string& role) const;
  // Names a token for a role that has none.
  void propose(std::string_view role, const nlohmann::json& token);
};

// Throws DataError if a file cannot be read; missing files are empty.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& directory);

// Finds the special tokens that the configuration names, or that have the usual names, and the end
// of text: the eos token, else the separator. A token that is named is an added token, whatever
// tokenizer.json says of it.
void find_special_tokens(Vocabulary& vocabulary, const TokenIds& ids,
                         const TokenizerConfig& config);

}  // namespace ty
