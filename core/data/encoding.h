// Texts as a model reads them: with the special tokens of the tokenizer's templates, not longer
// than asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/data/tokenizer.h"

namespace ty {

struct Encoding {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;  // of each id: which segment it belongs to
};

// The ids of a text, or of a pair of texts, in the tokenizer's template. Of more than `longest` ids
// (0: no limit) the longer of two texts loses its last ones, and both do once they are equally
// long, as with `longest_first` of the public tokenizers library. Throws DataError if `longest` is
// less than the number of special tokens.
Encoding encode_with_special(const Tokenizer& tokenizer, std::string_view first,
                             std::optional<std::string_view> second = std::nullopt,
                             std::int64_t longest = 0);

// The ids of a text that is to be continued: in the template of a single one, without the special
// tokens behind it.
std::vector<std::int32_t> encode_beginning(const Tokenizer& tokenizer, std::string_view text);

}  // namespace ty
