// config.json of a model directory, as the public `transformers` library reads and writes it.
//
// Every size has an upper limit, and integers must be integers. Unknown keys are kept: the document
// is written back as it was read, with the known keys updated.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/transformer/spec.h"

namespace ty {

// Reads config.json of any family (old and new spellings). Throws DataError that names `file` and
// the key.
ModelSpec model_spec_from_json(const nlohmann::json& document, const std::string& file);
// A model with factorised layers gets a model type that the public library refuses to load.
nlohmann::json model_spec_to_json(const ModelSpec& spec);

// The family that model_type names, with factorised layers or without; the text itself if it is
// unknown. Throws DataError that names `file` if it is not a string.
std::string family_named(const nlohmann::json& document, const std::string& file);
// The public library's name of the activation; as spelled in the source file if that is equivalent.
std::string public_activation(const ModelSpec& spec);
// Whether any linear layer is not dense.
bool is_factorised(const ModelSpec& spec);

// Names of the labels of a model, by number (id2label of config.json).
std::vector<std::string> label_names(const ModelSpec& spec);
void set_label_names(ModelSpec& spec, const std::vector<std::string>& names);

// Sets keys that the public library would otherwise guess: special token ids that the file does not
// name become the tokenizer's end of text, or null (with which a decoder that an encoder is read by
// begins, and which no text is forced to have); the dtype becomes that of the stored weights.
void set_run_keys(ModelSpec& spec, std::optional<std::int32_t> end_of_text, DType weights);

}  // namespace ty
