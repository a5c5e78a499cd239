// The bytes of a file as text: what is no text is refused by what it begins with, other forms of
// Unicode become UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace ty {

// UTF-8, UTF-16 and UTF-32 are told by their byte-order mark, which is dropped; without one bytes
// are kept as they are. Throws DataError, which begins with `place` and says what would do, for
// archives, tables, tensors and anything else with a zero byte.
std::string text_of(std::string_view bytes, const std::string& place);

}  // namespace ty
