// The bytes of a file as text: files that are not text are recognised by their first bytes and
// refused; other Unicode encodings are converted to UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace ty {

// UTF-8, UTF-16 and UTF-32 are recognised by their byte-order mark, which is removed; without one
// the bytes are kept as they are. For archives, tables, tensors and anything else that contains a
// zero byte, throws DataError, which begins with `place` and says what is accepted.
std::string text_of(std::string_view bytes, const std::string& place);

}  // namespace ty
