// config.json of a GPT-2 model, as the public `transformers` library reads and writes it.
//
// Every size has an upper limit, integers are integers, and keys that mean nothing here are kept:
// what was read is written again, with the keys that we know brought up to date.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "models/transformer/gpt2.h"

namespace ty {

// Reads config.json (old and new spellings). Throws DataError that names `file` and the key.
Gpt2Config gpt2_config_from_json(const nlohmann::json& document, const std::string& file);
// A model with factorised maps gets a type that the public library refuses to load.
nlohmann::json gpt2_config_to_json(const Gpt2Config& config);

// The model_type of a directory with factorised maps.
inline constexpr const char* kFactorisedType = "trainyard_gpt2";
// What the public library calls its activation; as in the file it came from if that means the same.
std::string public_activation(const Gpt2Config& config);
// Whether any map is not dense.
bool is_factorised(const Gpt2Config& config);

// What a run states for the public library, which would guess otherwise: the token ids that
// `config` does not name are the tokenizer's end of text, or null; the type of the stored numbers
// is theirs.
void set_run_keys(Gpt2Config& config, std::optional<std::int32_t> end_of_text, DType weights);

}  // namespace ty
