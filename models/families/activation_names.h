// What the public `transformers` library calls activations, in the config.json of any family.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/backend/backend.h"
#include "core/io/json_fields.h"

namespace ty {

// The op of a name; nothing for a name that is none of ours.
std::optional<UnaryOp> activation_named(std::string_view name);
// The name that we write.
std::string_view public_name(UnaryOp op);

// A directory of factorised layers is none that the public library may load: it would fill their
// places with random numbers. Its activation carries a mark that makes the library refuse it.
std::string marked_activation(std::string_view activation);
std::string_view without_mark(std::string_view activation);

// The op that a key names, marked or not. Throws DataError that lists the names.
UnaryOp read_activation(const JsonFields& json, const char* key);

}  // namespace ty
