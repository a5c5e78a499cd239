// The ids of a tokenizer.json: each below a limit that depends on their number, none used twice.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "core/data/added_tokens.h"
#include "core/data/json_value.h"

namespace ty {

using TokenIds = std::unordered_map<std::string, std::int32_t>;  // by spelling

// An object {token: id}. Throws DataError.
TokenIds read_vocab(const JsonValue& vocab);

// The array `added_tokens` beside a vocabulary. Throws DataError, also for ids that the public
// library would not assign.
std::vector<AddedToken> read_added_tokens(const JsonValue& list, const TokenIds& vocab);

}  // namespace ty
