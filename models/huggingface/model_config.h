// config.json of a model directory, as the public `transformers` library reads and writes it.
//
// Every size has an upper limit, integers are integers, and keys that mean nothing here are kept:
// what was read is written again, with the keys that we know brought up to date.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "models/transformer/spec.h"

namespace ty {

// Reads config.json of any family (old and new spellings). Throws DataError that names `file` and
// the key.
ModelSpec model_spec_from_json(const nlohmann::json& document, const std::string& file);
// A model with factorised layers gets a type that the public library refuses to load.
nlohmann::json model_spec_to_json(const ModelSpec& spec);

// The family that model_type names, of factorised layers or not; the text itself if we have no such
// family. Throws DataError that names `file` if it is no text.
std::string family_named(const nlohmann::json& document, const std::string& file);
// What the public library calls its activation; as in the file it came from if that means the same.
std::string public_activation(const ModelSpec& spec);
// Whether any linear layer is not dense.
bool is_factorised(const ModelSpec& spec);

// What a run states for the public library, which would guess otherwise: the token ids that the
// file does not name are the tokenizer's end of text, or null; the type of the stored numbers is
// theirs.
void set_run_keys(ModelSpec& spec, std::optional<std::int32_t> end_of_text, DType weights);

}  // namespace ty
