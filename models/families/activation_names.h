// The names of activations in config.json, as the public `transformers` library uses them for all
// families.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/backend/backend.h"
#include "core/io/json_fields.h"

namespace ty {

// The op of a name; nothing for an unknown name.
std::optional<UnaryOp> activation_named(std::string_view name);
// The name that we write.
std::string_view public_name(UnaryOp op);

// The public library must not load a directory with factorised layers: it would initialise the
// missing dense weights with random numbers. The activation of such a directory carries a mark that
// makes the library refuse it.
std::string marked_activation(std::string_view activation);
std::string_view without_mark(std::string_view activation);

// The op named by a key, marked or not. Throws DataError that lists the known names.
UnaryOp read_activation(const JsonFields& json, const char* key);

}  // namespace ty
