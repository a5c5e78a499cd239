#include "core/data/encoding.h"

#include <algorithm>

#include "core/base/error.h"

namespace ty {

namespace {

using Ids = std::vector<std::int32_t>;

void shorten(Ids& ids, std::int64_t length) {
  if (length < std::ssize(ids)) ids.resize(static_cast<std::size_t>(length));
}

// Leaves `room` ids: the shorter text keeps up to half of them, the longer one (of equal ones the
// second) the rest.
void truncate(Ids& first, Ids& second, std::int64_t room) {
  if (std::ssize(first) + std::ssize(second) <= room) return;
  Ids& shorter = first.size() <= second.size() ? first : second;
  Ids& longer = &shorter == &first ? second : first;
  shorten(shorter, room / 2);
  shorten(longer, room - std::ssize(shorter));
}

std::int64_t num_special(const Template& pieces) {
  std::int64_t count = 0;
  for (const TemplatePiece& piece : pieces) count += std::ssize(piece.ids);
  return count;
}

}  // namespace

Encoding encode_with_special(const Tokenizer& tokenizer, std::string_view first,
                             std::optional<std::string_view> second, std::int64_t longest) {
  const Template& pieces = second ? tokenizer.templates().pair : tokenizer.templates().single;
  const std::int64_t special = num_special(pieces);
  if (longest != 0 && longest < special) {
    throw DataError("tokenizer: at most {} ids, but {} has {} special tokens", longest,
                    second ? "a pair of texts" : "a text", special);
  }
  Ids a = tokenizer.encode(first), b = second ? tokenizer.encode(*second) : Ids();
  if (longest != 0) truncate(a, b, longest - special);
  Encoding result;
  for (const TemplatePiece& piece : pieces) {
    const Ids& ids = piece.text == TemplateText::none    ? piece.ids
                     : piece.text == TemplateText::first ? a
                                                         : b;
    result.ids.insert(result.ids.end(), ids.begin(), ids.end());
    result.types.resize(result.ids.size(), piece.type);
  }
  return result;
}

std::vector<std::int32_t> encode_beginning(const Tokenizer& tokenizer, std::string_view text) {
  Ids ids;
  for (const TemplatePiece& piece : tokenizer.templates().single) {
    const bool is_text = piece.text != TemplateText::none;
    const Ids part = is_text ? tokenizer.encode(text) : piece.ids;
    ids.insert(ids.end(), part.begin(), part.end());
    if (is_text) break;
  }
  return ids;
}

}  // namespace ty
