// GPT-2's encoding of arbitrary byte strings as printable text in vocab files: a bijection between
// the 256 bytes and 256 visible characters (a printable Latin-1 byte maps to itself, the others are
// numbered from U+0100).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace ty {

// The bytes in the order of the characters that stand for them; GPT-2's ids 0..255.
const std::array<unsigned char, 256>& byte_level_order();
// Visible spelling of a byte string.
std::string byte_level_spelling(std::string_view bytes);
// The byte string of a spelling; nothing if one of its characters represents no byte.
std::optional<std::string> byte_level_bytes(std::string_view spelling);

}  // namespace ty
